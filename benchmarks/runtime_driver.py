"""Prints as JSON the labels that one runtime gives to texts; imports nothing of kerasclf.

    python runtime_driver.py tflite-runtime FILE ROWS

ROWS is a JSON file: a list of texts, each a list of UTF-8 bytes, padded with 0 to the length that
FILE takes. Each runtime runs it in an environment of its own (benchmarks/runtime_environments.py).
"""

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Label = Callable[[np.ndarray], int]
"""Labels a text, int32 [1, max_bytes]."""

INTERPRETERS = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
    "tensorflow-cpu": "tensorflow.lite.python.interpreter",
}
"""Modules with the class `Interpreter`, by package."""


def open_interpreter(package: str, file: str) -> Label:
    """Opens a .tflite with the interpreter of TensorFlow Lite that a package has."""
    interpreter = importlib.import_module(INTERPRETERS[package]).Interpreter(file)
    run = interpreter.get_signature_runner()
    return lambda row: int(run(bytes=row)["label"][0])


def open_onnxruntime(file: str) -> Label:
    """Opens an ONNX file with ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return lambda row: int(session.run(["label"], {"bytes": row})[0][0])


def open_openvino(file: str) -> Label:
    """Opens a .tflite or an ONNX file with OpenVINO."""
    import openvino

    model = openvino.Core().compile_model(file, "CPU")
    # OpenVINO leaves out the names of a signature; outputs of a .tflite keep their order.
    named = [output for output in model.outputs if "label" in output.names]
    output = named[0] if named else model.outputs[1]
    return lambda row: int(model([row])[output][0])


def open_mediapipe(file: str) -> Label:
    """Opens a .tflite with the TextClassifier of MediaPipe, which takes strings."""
    from mediapipe.tasks.python.text import TextClassifier

    classifier = TextClassifier.create_from_model_path(file)

    def label(row: np.ndarray) -> int:
        text = bytes(row[row > 0].tolist()).decode("utf-8", "ignore")
        categories = classifier.classify(text).classifications[0].categories
        return max(categories, key=lambda category: category.score).index

    return label


OPENERS = {
    "onnxruntime": open_onnxruntime,
    "openvino": open_openvino,
    "mediapipe": open_mediapipe,
}


def label_rows(package: str, file: str, rows: list[list[int]]) -> list[int]:
    """Labels each text, one at a time."""
    opener = OPENERS.get(package)
    label = opener(file) if opener else open_interpreter(package, file)
    return [label(np.array([row], np.int32)) for row in rows]


if __name__ == "__main__":
    package, file, path = sys.argv[1:]
    with open(path) as stream:
        rows = json.load(stream)
    try:
        result: dict[str, Any] = {"labels": label_rows(package, file, rows)}
    except Exception as error:  # Runtimes say in many ways that they cannot run a file.
        result = {"error": " ".join(str(error).split())}
    print(json.dumps(result))
