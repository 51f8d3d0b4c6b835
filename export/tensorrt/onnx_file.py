"""Converts a classifier to an ONNX file, and checks that both agree."""

import json
import os
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it uses names that numpy has deprecated
    import tf2onnx

from export.program.classify import make_program
from export.program.golden import GOLDEN_TEXTS, GateError, ParityError, check_golden
from export.program.inputs import FileInput
from export.program.metadata import describe_run
from kerasclf.classifier import KerasClassifier
from kerasclf.models.joined import BYTES
from kerasclf.run.layout import RunLayout

OPSET = 17
"""TensorRT 8.6 and later read it."""
TOLERANCE = 1e-5


def convert(
    classifier: KerasClassifier, file_input: FileInput, layout: RunLayout
) -> onnx.ModelProto:
    """Converts a classifier with its decision.

    Inputs and outputs are those of `make_program`, for any number n of texts. Bytes are
    [n, length], padded with at least one 0 behind the longest text, or of the length that the
    metadata say.

    Args:
        classifier: classifier of the run.
        file_input: its inputs.
        layout: the run, which the file's metadata describe.
    """
    specs = [
        # Bytes may be padded to the longest text of a batch.
        tf.TensorSpec(
            [None, None if spec.name == BYTES else spec.shape[1]], spec.dtype, name=spec.name
        )
        for spec in file_input.specs
    ]
    model = to_onnx(make_program(classifier, file_input), specs)
    metadata = describe_run(layout, "kerasclf-onnx-1") | file_input.metadata
    metadata["decision"] = asdict(classifier.decision)
    onnx.helper.set_model_props(model, {key: _as_text(value) for key, value in metadata.items()})
    return model


def to_onnx(program: Callable[..., Any], specs: list[tf.TensorSpec]) -> onnx.ModelProto:
    """Converts a function of batches to ONNX.

    Args:
        program: a function of tensors of `specs`; its outputs have as many rows as its inputs.
        specs: its inputs, each of shape [None, ...].
    """
    model, _ = tf2onnx.convert.from_function(
        tf.function(program, input_signature=specs),
        input_signature=specs,
        opset=OPSET,
        custom_op_handlers={"Erfc": (_write_erfc, []), "ScatterNd": (_write_scatter_nd, [])},
    )
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    for value in model.graph.input:
        if not value.type.tensor_type.shape.dim[1].dim_value:
            value.type.tensor_type.shape.dim[1].dim_param = "length"
    return model


def _write_erfc(context: Any, node: Any, name: str, args: list[Any]) -> None:
    """Writes erfc, which the exact GELU uses and ONNX lacks, as 1 - erf(x)."""
    context.remove_node(name)
    kind = tf2onnx.utils.map_onnx_to_numpy_type(context.get_dtype(node.input[0]))
    one = context.make_const(tf2onnx.utils.make_name(name), np.array(1, kind))
    erf = context.make_node("Erf", [node.input[0]])
    context.make_node("Sub", [one.output[0], erf.output[0]], name=name, outputs=node.output)


def _write_scatter_nd(context: Any, node: Any, name: str, args: list[Any]) -> None:
    """Writes scatter_nd, which adds the values of an index, where ONNX keeps one of them."""
    indices, values, shape = node.input
    dtype, outputs = context.get_dtype(values), node.output
    context.remove_node(name)
    long = [
        context.make_node("Cast", [x], attr={"to": onnx.TensorProto.INT64}).output[0]
        for x in (indices, shape)
    ]
    zero = onnx.helper.make_tensor("value", dtype, dims=[1], vals=[0])
    zeros = context.make_node("ConstantOfShape", [long[1]], attr={"value": zero})
    context.make_node(
        "ScatterND",
        [zeros.output[0], long[0], values],
        attr={"reduction": "add"},
        name=name,
        outputs=outputs,
    )


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class OnnxFile:
    """An ONNX file of `convert`, run by onnxruntime on the CPU."""

    def __init__(self, path: Path, file_input: FileInput):
        """Loads a file.

        Args:
            path: path of the file.
            file_input: the inputs that it was converted with.
        """
        self._session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self._read = file_input.read

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        """Calibrated probabilities, float32 [n, num_classes], of a batch of n texts."""
        return self._run("probabilities", texts)

    def predict(self, texts: list[str]) -> np.ndarray:
        """Decided class ids, int32 [n], of a batch of n texts."""
        return self._run("label", texts)

    def _run(self, output: str, texts: list[str]) -> np.ndarray:
        rows = [self._read(text) for text in texts]
        batch = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        if BYTES in batch:
            filled = np.flatnonzero(batch[BYTES].any(axis=0))
            batch[BYTES] = batch[BYTES][:, : filled.max(initial=-1) + 2]
        return self._session.run([output], batch)[0]


def check(path: Path, classifier: KerasClassifier, file_input: FileInput) -> float:
    """Checks that a file is valid ONNX and agrees with Keras, in a batch and text by text.

    Args:
        path: path of the file.
        classifier: the classifier that it was converted from.
        file_input: the inputs that it was converted with.

    Returns:
        The largest difference of a probability on the golden texts.

    Raises:
        GateError: it is not valid ONNX; it has an op that only TensorFlow has, for example.
        ParityError: it does not agree.
    """
    try:
        onnx.checker.check_model(os.fspath(path), full_check=True)
    except onnx.checker.ValidationError as error:
        raise GateError(f"it is not valid ONNX: {error}") from error
    file = OnnxFile(path, file_input)
    difference = max(
        check_golden(predict_proba, classifier, TOLERANCE)
        for predict_proba in (file.predict_proba, _one_by_one(file.predict_proba))
    )
    labels = classifier.predict(GOLDEN_TEXTS)["predicted_label"]
    class_ids = labels.map(classifier.labels.index).to_numpy()
    for predict in (file.predict, _one_by_one(file.predict)):
        if not np.array_equal(predict(list(GOLDEN_TEXTS)), class_ids):
            raise ParityError("it decides on other class ids than Keras")
    return difference


def _one_by_one(predict: Callable[[list[str]], np.ndarray]) -> Callable[[list[str]], np.ndarray]:
    """A function that calls `predict` with each text alone."""
    return lambda texts: np.concatenate([predict([text]) for text in texts])
