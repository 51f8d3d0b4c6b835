"""From a classifier to an ONNX file, and the proof that both agree."""

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
    warnings.simplefilter("ignore")  # it was written for an older numpy
    import tf2onnx

from export.gate import GateError
from export.golden import GOLDEN_TEXTS
from export.inputs import describe_input
from export.metadata import describe_run
from export.program import make_program
from kerasclf.classifier import Classifier
from kerasclf.layout import RunLayout

OPSET = 17
"""TensorRT reads it since 8.6."""
TOLERANCE = 1e-5


def convert(classifier: Classifier, layout: RunLayout) -> onnx.ModelProto:
    """Converts a classifier with its decision.

    Inputs and outputs are those of `make_program`, with any number of rows, "n".

    Args:
        classifier: of the run.
        layout: the run, which the file's metadata tell of.
    """
    source = describe_input(classifier)
    specs = [tf.TensorSpec([None, *s.shape[1:]], s.dtype, name=s.name) for s in source.specs]
    model = to_onnx(make_program(classifier), specs)
    metadata = describe_run(layout, "kerasclf-onnx-1") | source.metadata
    metadata["decision"] = asdict(classifier.decision)
    onnx.helper.set_model_props(model, {key: _as_text(value) for key, value in metadata.items()})
    return model


def to_onnx(program: Callable[..., Any], specs: list[tf.TensorSpec]) -> onnx.ModelProto:
    """Converts a function of tensors of `specs`, [None, ...], whose outputs are as long as they."""
    model, _ = tf2onnx.convert.from_function(
        tf.function(program, input_signature=specs),
        input_signature=specs,
        opset=OPSET,
        custom_op_handlers={"Erfc": (_write_erfc, [])},
    )
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    return model


def _write_erfc(context: Any, node: Any, name: str, args: list[Any]) -> None:
    """The complementary error function, in the exact GELU, which ONNX lacks: 1 - erf(x)."""
    context.remove_node(name)
    kind = tf2onnx.utils.map_onnx_to_numpy_type(context.get_dtype(node.input[0]))
    one = context.make_const(tf2onnx.utils.make_name(name), np.array(1, kind))
    erf = context.make_node("Erf", [node.input[0]])
    context.make_node("Sub", [one.output[0], erf.output[0]], name=name, outputs=node.output)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def check(path: Path, classifier: Classifier) -> float:
    """Checks that a file is valid ONNX and decides on the golden texts as Keras does.

    Args:
        path: of the file.
        classifier: that it was converted from.

    Returns:
        The largest difference of a probability.

    Raises:
        GateError: it is not, or does not.
    """
    try:
        onnx.checker.check_model(os.fspath(path), full_check=True)
    except onnx.checker.ValidationError as error:
        # Such as an op of TensorFlow's that ONNX lacks.
        raise GateError(f"it is not valid ONNX: {error}") from error
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    rows = list(map(describe_input(classifier).read, GOLDEN_TEXTS))
    together = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    decided = classifier.predict(GOLDEN_TEXTS)
    class_ids = decided["predicted_label"].map(classifier.labels.index).to_numpy()
    probabilities = classifier.predict_proba(GOLDEN_TEXTS)
    largest = 0.0
    for batch in (slice(0, len(rows)), *(slice(i, i + 1) for i in range(len(rows)))):
        feed = {name: values[batch] for name, values in together.items()}
        found = dict(zip(names, session.run(None, feed), strict=True))
        difference = float(np.abs(found["probabilities"] - probabilities[batch]).max())
        if not difference <= TOLERANCE:  # NaN is no agreement
            raise GateError(
                f"probabilities differ from Keras by {difference:.2g}, expected at most {TOLERANCE}"
            )
        if not np.array_equal(found["label"], class_ids[batch]):
            raise GateError("it decides on other class ids than Keras")
        largest = max(largest, difference)
    return largest
