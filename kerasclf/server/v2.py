"""The Open Inference Protocol v2 (of KServe and Triton), with its extension for binary tensors."""

import struct
from typing import Any

from kerasclf.server.models import Model, Version
from kerasclf.server.requests import Limits, RequestError, check_texts, parse_json

INPUT = "text"
HEADER_LENGTH = "inference-header-content-length"


def describe_model(model: Model, version: Version) -> dict[str, Any]:
    """Inputs and outputs of a version, and its labels by class id."""
    labels = version.classifier.labels
    return {
        "name": model.name,
        "versions": [str(number) for number in model.numbers],
        "platform": "kerasclf",
        "inputs": [{"name": INPUT, "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "class_id", "datatype": "INT32", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, len(labels)]},
            {"name": "review", "datatype": "BOOL", "shape": [-1]},
            {"name": "version", "datatype": "INT64", "shape": [-1]},
        ],
        "labels": list(labels),
    }


def read_infer(body: bytes, header_length: str | None, limits: Limits) -> tuple[list[str], Any]:
    """The texts of an inference request, and its id.

    Args:
        body: JSON, followed by binary tensors if there is a header length.
        header_length: number of bytes of the JSON.
        limits: limits of a request.

    Raises:
        RequestError: it is not one tensor of texts.
    """
    length = len(body)
    if header_length is not None:
        if not header_length.isdecimal() or int(header_length) > length:
            raise RequestError(400, f"{HEADER_LENGTH} is {header_length[:20]!r}")
        length = int(header_length)
    request = parse_json(body[:length])
    inputs = request.get("inputs")
    if not (isinstance(inputs, list) and len(inputs) == 1 and isinstance(inputs[0], dict)):
        raise RequestError(400, f"expected one input, {INPUT!r} of BYTES [n]")
    tensor = inputs[0]
    if tensor.get("datatype") != "BYTES":
        raise RequestError(400, f"the input is {str(tensor.get('datatype'))[:20]}; expected BYTES")
    texts = tensor.get("data")
    if texts is None:
        texts = _read_binary(body[length:])
    elif isinstance(texts, list) and all(isinstance(row, list) for row in texts):
        # A tensor of more dimensions may be nested.
        texts = [cell for row in texts for cell in row]
    texts = check_texts(texts, "data", limits)
    size = 1
    shape = tensor.get("shape")
    if not (isinstance(shape, list) and all(type(side) is int and side >= 0 for side in shape)):
        raise RequestError(400, f"the shape is {str(shape)[:50]}; expected [n]")
    for side in shape:
        size *= side
    if size != len(texts):
        raise RequestError(400, f"the shape is {str(shape)[:50]}, but there are {len(texts)} texts")
    return texts, request.get("id")


def _read_binary(content: bytes) -> list[str]:
    """Elements of a binary BYTES tensor: of each, the length (uint32, little-endian) and bytes."""
    texts, place = [], 0
    while place < len(content):
        if place + 4 > len(content):
            raise RequestError(400, "the binary tensor ends inside a length")
        (length,) = struct.unpack_from("<I", content, place)
        place += 4
        if place + length > len(content):
            raise RequestError(400, "the binary tensor ends inside an element")
        texts.append(content[place : place + length].decode("utf-8", "replace"))
        place += length
    return texts


def write_infer(
    rows: list[dict[str, Any]], model: Model, version: Version, request_id: Any
) -> dict[str, Any]:
    """The response to an inference request."""
    kinds = {"label": "BYTES", "class_id": "INT32", "review": "BOOL", "version": "INT64"}
    outputs = [
        {"name": name, "datatype": kind, "shape": [len(rows)], "data": [row[name] for row in rows]}
        for name, kind in kinds.items()
    ]
    flat = [p for row in rows for p in row["probabilities"]]
    shape = [len(rows), len(version.classifier.labels)]
    outputs.append({"name": "probabilities", "datatype": "FP32", "shape": shape, "data": flat})
    response = {
        "model_name": model.name,
        "model_version": str(version.number),
        "outputs": outputs,
    }
    return response if request_id is None else {"id": str(request_id)[:200], **response}
