"""TensorProto to Python values and back, without TensorFlow."""

import math
import struct
from typing import Any

from kerasclf.client.errors import AnswerError
from kerasclf.client.protos import only_protos

with only_protos():
    from tensorflow.core.framework import tensor_pb2, types_pb2

KINDS = {
    types_pb2.DT_FLOAT: ("float_val", "f"),
    types_pb2.DT_INT32: ("int_val", "i"),
    types_pb2.DT_INT64: ("int64_val", "q"),
    types_pb2.DT_BOOL: ("bool_val", "?"),
    types_pb2.DT_STRING: ("string_val", None),
}
"""Field of the values, and format of one of them in `tensor_content`, by dtype."""


def write_strings(proto: tensor_pb2.TensorProto, values: list[bytes]) -> None:
    """Makes `proto` the string tensor [n] of n values."""
    proto.dtype = types_pb2.DT_STRING
    proto.tensor_shape.dim.add().size = len(values)
    proto.string_val.extend(values)


def read_tensor(proto: tensor_pb2.TensorProto) -> list[Any]:
    """Values of a tensor [n] as a list, and of [n, m] as a list of lists; strings are decoded.

    Raises:
        AnswerError: another dtype or shape, or fewer values than the shape says.
    """
    shape = [dim.size for dim in proto.tensor_shape.dim]
    if proto.dtype not in KINDS or len(shape) not in (1, 2):
        kind = types_pb2.DataType.Name(proto.dtype)
        raise AnswerError(f"found an output {kind} {shape}, expected [n] or [n, m] of known types")
    field, form = KINDS[proto.dtype]
    size = math.prod(shape)
    if proto.tensor_content and form:
        values = [value for (value,) in struct.iter_unpack(f"<{form}", proto.tensor_content)]
    else:
        values = list(getattr(proto, field))
        # A tail of equal values may be left out.
        values += values[-1:] * (size - len(values))
    if len(values) != size:
        raise AnswerError(f"found an output of {len(values)} values, expected {shape}")
    if form is None:
        values = [value.decode("utf-8", "replace") for value in values]
    if len(shape) == 1:
        return values
    return [values[row * shape[1] : (row + 1) * shape[1]] for row in range(shape[0])]
