"""Conversion of TensorProto to Python values and back, without TensorFlow."""

import math
import struct
from typing import Any

from kerasclf.client.errors import AnswerError
from kerasclf.client.protos import only_protos

with only_protos():
    from tensorflow.core.framework import tensor_pb2, types_pb2

DTYPES = {
    types_pb2.DT_FLOAT: ("float_val", "f"),
    types_pb2.DT_INT32: ("int_val", "i"),
    types_pb2.DT_INT64: ("int64_val", "q"),
    types_pb2.DT_BOOL: ("bool_val", "?"),
    types_pb2.DT_STRING: ("string_val", None),
}
"""By dtype: the field of the values, and the `struct` format of a value in `tensor_content`."""


def write_strings(proto: tensor_pb2.TensorProto, values: list[bytes]) -> None:
    """Writes n values into `proto` as a string tensor [n]."""
    proto.dtype = types_pb2.DT_STRING
    proto.tensor_shape.dim.add().size = len(values)
    proto.string_val.extend(values)


def read_tensor(proto: tensor_pb2.TensorProto) -> list[Any]:
    """The values of a tensor: a list for [n], a list of lists for [n, m]; strings are decoded.

    Raises:
        AnswerError: the dtype or rank is not supported, or the number of values does not match the
            shape.
    """
    shape = [dim.size for dim in proto.tensor_shape.dim]
    if proto.dtype not in DTYPES or len(shape) not in (1, 2):
        dtype = types_pb2.DataType.Name(proto.dtype)
        names = ", ".join(map(types_pb2.DataType.Name, DTYPES))
        raise AnswerError(
            f"found an output {dtype} {shape}, expected [n] or [n, m] of one of {names}"
        )
    field, struct_format = DTYPES[proto.dtype]
    size = math.prod(shape)
    if proto.tensor_content and struct_format:
        pattern = f"<{struct_format}"
        values = [value for (value,) in struct.iter_unpack(pattern, proto.tensor_content)]
    else:
        values = list(getattr(proto, field))
        # A tensor that ends in equal values may store only the first of them.
        values += values[-1:] * (size - len(values))
    if len(values) != size:
        raise AnswerError(f"found an output of {len(values)} values, expected shape {shape}")
    if struct_format is None:
        values = [value.decode("utf-8", "replace") for value in values]
    if len(shape) == 1:
        return values
    return [values[row * shape[1] : (row + 1) * shape[1]] for row in range(shape[0])]
