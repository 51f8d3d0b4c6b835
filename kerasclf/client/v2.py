"""The Open Inference Protocol v2 over REST, as kerasclf serve, KServe and Triton speak it."""

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
        columns = {output["name"]: _read_rows(output) for output in content["outputs"]}
        count = len(columns["label"])
        # Only kerasclf has it as an output.
        columns.setdefault("version", [content.get("model_version", 0)] * count)
        return [{name: columns[name][row] for name in OUTPUTS} for row in range(count)]


def _read_rows(output: dict[str, Any]) -> list[Any]:
    """The values of a tensor by its first dimension."""
    rows, *sides = output["shape"]
    values, width = output["data"], prod(sides)
    if not sides or len(values) != rows * width:
        return values
    return [values[row * width : (row + 1) * width] for row in range(rows)]
