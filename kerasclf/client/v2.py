"""The Open Inference Protocol v2 over REST, as kerasclf serve, MLServer and Triton speak it."""

import json
from math import prod
from typing import Any

from kerasclf.client.prediction import OUTPUTS
from kerasclf.client.rest import RestClient


class V2Client(RestClient):
    """A client of a model with the input "text" and the outputs of `kerasclf saved_model`."""

    _method = "/infer"

    def _write(self, texts: list[bytes]) -> bytes:
        """The body of a request."""
        data = [text.decode() for text in texts]
        tensor = {"name": "text", "datatype": "BYTES", "shape": [len(data)], "data": data}
        return json.dumps({"inputs": [tensor]}).encode()

    def _read(self, content: Any) -> Any:
        """The predictions in the body of a response, a mapping for each text."""
        outputs = {output["name"]: output for output in content["outputs"]}
        columns = {name: _read_rows(outputs[name]) for name in OUTPUTS if name in outputs}
        count = len(columns["label"])
        # Only kerasclf has it as an output.
        columns.setdefault("version", [_read_version(content)] * count)
        return [{name: columns[name][row] for name in OUTPUTS} for row in range(count)]


def _read_rows(output: dict[str, Any]) -> list[Any]:
    """The values of a tensor by its first dimension; MLServer writes a column as [n, 1].

    Raises:
        ValueError: the number of values does not match the shape.
    """
    rows, *sides = output["shape"]
    values, width = _flatten(output["data"]), prod(sides)
    if len(values) != rows * width:
        raise ValueError(f"found {len(values)} values, expected shape {output['shape']}")
    if width == 1:
        return values
    return [values[row * width : (row + 1) * width] for row in range(rows)]


def _flatten(values: list[Any]) -> list[Any]:
    """The elements of a tensor, which the protocol allows to be nested or flat."""
    if values and all(isinstance(value, list) for value in values):
        return _flatten([cell for value in values for cell in value])
    return values


def _read_version(content: dict[str, Any]) -> int:
    """The version of a model, which the protocol allows to be any string, or none."""
    version = str(content.get("model_version"))
    return int(version) if version.isdecimal() else 0
