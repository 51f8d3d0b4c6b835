"""Swaps the reading of tables in a .tflite for the one op that reads packed int4 rows.

The converter writes an embedding as GATHER, whose kernel knows no int4; EMBEDDING_LOOKUP does. It
takes a flat list of ids, so that a reshape goes before it and one behind: both only copy.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

INT4_VERSION = 4
"""Version of the op that knows int4: an older runtime then refuses the file, and says why."""


def swap_gathers(model: bytes) -> bytes:
    """Swaps each GATHER from a constant float32 table for EMBEDDING_LOOKUP.

    Args:
        model: a flatbuffer with static shapes and one subgraph.

    Returns:
        A flatbuffer with the same outputs.
    """
    graph = _Graph(flatbuffer_utils.read_model_from_bytearray(bytearray(model)))
    operators = []
    for operator in graph.main.operators:
        operators += graph.swap(operator) if graph.reads_table(operator) else [operator]
    graph.main.operators = operators
    return bytes(flatbuffer_utils.convert_object_to_bytearray(graph.model))


class _Graph:
    """A flatbuffer's objects, and what adds to them."""

    def __init__(self, model: schema.ModelT):
        self.model, self.main = model, model.subgraphs[0]

    def reads_table(self, operator: schema.OperatorT) -> bool:
        """Whether an operator takes rows, axis 0, of a constant float32 matrix."""
        code = self.model.operatorCodes[operator.opcodeIndex].builtinCode
        if code != schema.BuiltinOperator.GATHER or operator.builtinOptions.axis != 0:
            return False
        table = self.main.tensors[operator.inputs[0]]
        constant = self.model.buffers[table.buffer].data is not None
        return constant and table.type == schema.TensorType.FLOAT32 and len(table.shape) == 2

    def swap(self, gather: schema.OperatorT) -> list[schema.OperatorT]:
        """The operators that take the place of a GATHER."""
        table, ids = gather.inputs
        (output,) = gather.outputs
        shape = [int(size) for size in self.main.tensors[output].shape]
        count, width = int(np.prod(shape[:-1])), shape[-1]
        name = self.main.tensors[output].name
        flat = self.add_tensor(name + b"/ids", [count], schema.TensorType.INT32)
        rows = self.add_tensor(name + b"/rows", [count, width], schema.TensorType.FLOAT32)
        lookup = schema.OperatorT()
        lookup.opcodeIndex = self.code_of(schema.BuiltinOperator.EMBEDDING_LOOKUP, INT4_VERSION)
        lookup.inputs, lookup.outputs = [flat, table], [rows]
        return [self.reshape(ids, flat, [count]), lookup, self.reshape(rows, output, shape)]

    def reshape(self, source: int, target: int, shape: list[int]) -> schema.OperatorT:
        """An operator that reshapes tensor `source` to tensor `target`."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.array(shape, np.int32).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        place = len(self.model.buffers) - 1
        name = self.main.tensors[target].name + b"/shape"
        wanted = self.add_tensor(name, [len(shape)], schema.TensorType.INT32, place)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.code_of(schema.BuiltinOperator.RESHAPE, 1)
        operator.inputs, operator.outputs = [source, wanted], [target]
        operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
        operator.builtinOptions = schema.ReshapeOptionsT()
        operator.builtinOptions.newShape = shape
        return operator

    def add_tensor(self, name: bytes, shape: list[int], kind: int, buffer: int = 0) -> int:
        """Adds a tensor, whose buffer 0 is that without content, and returns its place."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, shape, kind, buffer
        self.main.tensors.append(tensor)
        return len(self.main.tensors) - 1

    def code_of(self, builtin: int, version: int) -> int:
        """The place of an op's code, added if it is not there."""
        for place, code in enumerate(self.model.operatorCodes):
            if code.builtinCode == builtin:
                return place
        code = schema.OperatorCodeT()
        # The field of old readers holds at most 127.
        code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
        code.version = version
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1
