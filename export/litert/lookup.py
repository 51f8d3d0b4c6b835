"""Replaces the lookups in embedding tables of a .tflite by the one op that reads packed int4 rows.

The converter writes an embedding as GATHER, whose kernel does not support int4; EMBEDDING_LOOKUP
does. It takes a flat list of ids, so a reshape goes before it and one after it; both only copy.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

INT8_VERSION, INT4_VERSION = 3, 4
"""Versions of the op that support these types; an older runtime refuses the file and says why."""


def swap_gathers(model: bytes, version: int, scope: str = "") -> bytes:
    """Replaces each GATHER from a constant float32 table by EMBEDDING_LOOKUP.

    Args:
        model: a flatbuffer with static shapes and one subgraph.
        version: version of EMBEDDING_LOOKUP, which says what types its table may get.
        scope: part of the name of the ops that are replaced.

    Returns:
        A flatbuffer with the same outputs.
    """
    graph = _Graph(flatbuffer_utils.read_model_from_bytearray(bytearray(model)), version)
    operators = []
    for operator in graph.main.operators:
        is_swapped = graph.reads_table(operator) and scope in graph.name_of(operator)
        operators += graph.swap(operator) if is_swapped else [operator]
    graph.main.operators = operators
    return bytes(flatbuffer_utils.convert_object_to_bytearray(graph.model))


class _Graph:
    """The objects of a flatbuffer, and methods that add to them."""

    def __init__(self, model: schema.ModelT, version: int):
        self.model, self.main, self.version = model, model.subgraphs[0], version

    def name_of(self, operator: schema.OperatorT) -> str:
        """The name of an operator's output."""
        return self.main.tensors[operator.outputs[0]].name.decode()

    def reads_table(self, operator: schema.OperatorT) -> bool:
        """Whether an operator gathers rows (axis 0) of a constant float32 matrix."""
        code = self.model.operatorCodes[operator.opcodeIndex].builtinCode
        if code != schema.BuiltinOperator.GATHER or operator.builtinOptions.axis != 0:
            return False
        table = self.main.tensors[operator.inputs[0]]
        constant = self.model.buffers[table.buffer].data is not None
        return constant and table.type == schema.TensorType.FLOAT32 and len(table.shape) == 2

    def swap(self, gather: schema.OperatorT) -> list[schema.OperatorT]:
        """The operators that replace a GATHER."""
        table, ids = gather.inputs
        (output,) = gather.outputs
        shape = [int(size) for size in self.main.tensors[output].shape]
        count, width = int(np.prod(shape[:-1])), shape[-1]
        name = self.main.tensors[output].name
        flat = self.add_tensor(name + b"/ids", [count], schema.TensorType.INT32)
        rows = self.add_tensor(name + b"/rows", [count, width], schema.TensorType.FLOAT32)
        lookup = schema.OperatorT()
        lookup.opcodeIndex = self.code_of(schema.BuiltinOperator.EMBEDDING_LOOKUP, self.version)
        lookup.inputs, lookup.outputs = [flat, table], [rows]
        return [self.reshape(ids, flat, [count]), lookup, self.reshape(rows, output, shape)]

    def reshape(self, source: int, target: int, shape: list[int]) -> schema.OperatorT:
        """An operator that reshapes the tensor `source` into the tensor `target`."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.array(shape, np.int32).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        position = len(self.model.buffers) - 1
        name = self.main.tensors[target].name + b"/shape"
        new_shape = self.add_tensor(name, [len(shape)], schema.TensorType.INT32, position)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.code_of(schema.BuiltinOperator.RESHAPE, 1)
        operator.inputs, operator.outputs = [source, new_shape], [target]
        operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
        operator.builtinOptions = schema.ReshapeOptionsT()
        operator.builtinOptions.newShape = shape
        return operator

    def add_tensor(self, name: bytes, shape: list[int], kind: int, buffer: int = 0) -> int:
        """Adds a tensor and returns its position; buffer 0 is the empty one."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, shape, kind, buffer
        self.main.tensors.append(tensor)
        return len(self.main.tensors) - 1

    def code_of(self, builtin: int, version: int) -> int:
        """The position of an op's code, which is added if it is missing."""
        for position, code in enumerate(self.model.operatorCodes):
            if code.builtinCode == builtin:
                return position
        code = schema.OperatorCodeT()
        # The field for old readers holds at most 127.
        code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
        code.version = version
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1
