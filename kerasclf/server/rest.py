"""TF Serving's REST API: what requests mean, and the bodies of responses."""

import base64
import binascii
from typing import Any

from kerasclf.client.prediction import OUTPUTS
from kerasclf.server.models import Model, Version
from kerasclf.server.requests import Limits, RequestError, check_texts

TEXT = "text"
"""Name of the input, and of the feature of an example."""


def describe_status(model: Model) -> dict[str, Any]:
    """The versions of a model, all of which are available."""
    status = {"error_code": "OK", "error_message": ""}
    return {
        "model_version_status": [
            {"version": str(number), "state": "AVAILABLE", "status": status}
            for number in model.numbers
        ]
    }


def describe_metadata(model: Model, version: Version) -> dict[str, Any]:
    """Inputs and outputs of a version, and its labels by class id."""

    def tensor(name: str, dtype: str, *sizes: int) -> dict[str, Any]:
        dims = [{"size": str(size), "name": ""} for size in (-1, *sizes)]
        shape = {"dim": dims, "unknown_rank": False}
        return {"dtype": dtype, "tensor_shape": shape, "name": name}

    labels = version.classifier.labels
    outputs = {
        "label": tensor("label", "DT_STRING"),
        "class_id": tensor("class_id", "DT_INT32"),
        "probabilities": tensor("probabilities", "DT_FLOAT", len(labels)),
        "review": tensor("review", "DT_BOOL"),
        "version": tensor("version", "DT_INT64"),
    }
    signature = {
        "inputs": {TEXT: tensor(TEXT, "DT_STRING")},
        "outputs": outputs,
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {
            "name": model.name,
            "signature_name": "",
            "version": str(version.number),
        },
        "metadata": {
            "signature_def": {"signature_def": {"serving_default": signature}},
            "labels": list(labels),
        },
    }


def read_predict(body: dict[str, Any], limits: Limits) -> tuple[list[str], bool]:
    """The texts of a `:predict` request, and whether the response has rows.

    Raises:
        RequestError: it has none.
    """
    signature = body.get("signature_name", "serving_default")
    if signature not in ("", "serving_default"):
        raise RequestError(400, f"there is no signature {str(signature)[:100]!r}")
    if "instances" in body:
        rows = body["instances"]
        if isinstance(rows, list):
            rows = [_read_value(row.get(TEXT) if _is_named(row) else row) for row in rows]
        return check_texts(rows, "instances", limits), True
    if "inputs" in body:
        column = body["inputs"]
        if _is_named(column):
            column = column[TEXT]
        if isinstance(column, list):
            column = [_read_value(cell) for cell in column]
        return check_texts(column, "inputs", limits), False
    raise RequestError(400, 'expected {"instances": ["a text", ...]}')


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and TEXT in value


def _read_value(value: Any) -> Any:
    """A string, which may be given as {"b64": ...}."""
    if not (isinstance(value, dict) and set(value) == {"b64"}):
        return value
    try:
        return base64.b64decode(value["b64"], validate=True).decode("utf-8", "replace")
    except (TypeError, ValueError, binascii.Error) as error:
        raise RequestError(400, f"b64 is not base64: {error}") from error


def write_predict(rows: list[dict[str, Any]], by_row: bool) -> dict[str, Any]:
    """The response to `:predict`."""
    if by_row:
        return {"predictions": rows}
    return {"outputs": {name: [row[name] for row in rows] for name in OUTPUTS}}


def read_classify(body: dict[str, Any], limits: Limits) -> list[str]:
    """The texts of a `:classify` request.

    Raises:
        RequestError: it has none.
    """
    examples = body.get("examples")
    if not isinstance(examples, list):
        raise RequestError(400, 'expected {"examples": [{"text": "a text"}, ...]}')
    texts = []
    for example in examples:
        value = example.get(TEXT) if isinstance(example, dict) else None
        # A feature may be a list of one value.
        texts.append(_read_value(value[0] if isinstance(value, list) and value else value))
    return check_texts(texts, "examples", limits)


def write_classify(rows: list[dict[str, Any]], version: Version) -> dict[str, Any]:
    """The response to `:classify`: label and score of each class of each text."""
    labels = version.classifier.labels
    return {
        "results": [
            [list(pair) for pair in zip(labels, row["probabilities"], strict=True)] for row in rows
        ]
    }
