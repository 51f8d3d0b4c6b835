"""Converts a run's SavedModel by TF-TRT, where TensorFlow was built with TensorRT."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from export.program.golden import GOLDEN_TEXTS, GateError, check_golden
from export.serving.graph import PREDICT, predict_singly, write_serving_model
from kerasclf.classifier import KerasClassifier
from kerasclf.errors import UnsupportedError

TOLERANCES = {"FP32": 5e-3, "FP16": 5e-3, "INT8": 0.1}
"""By precision. FP32 may run as TF32 in TensorRT, whose mantissa is as short as that of FP16."""
BATCHES = (1, 32, 256)
"""Smallest, usual and largest number of texts that engines are built for."""
CALIBRATION_BATCHES = 16

ALTERNATIVES = (
    "use an image whose TensorFlow has it, such as nvcr.io/nvidia/tensorflow:25.02-tf2-py3, or "
    "build an engine with kerasclf onnx and trtexec"
)


def check_available() -> None:
    """Checks that TF-TRT works on this machine.

    Raises:
        UnsupportedError: it does not; says what is missing.
    """
    version = tf.__version__
    if not tf.sysconfig.get_build_info()["is_tensorrt_build"]:
        raise UnsupportedError(
            f"TensorFlow {version} was built without TensorRT (is_tensorrt_build is False; 2.17 "
            f"was the last release with it); {ALTERNATIVES}"
        )
    try:
        tf.experimental.tensorrt.Converter(input_saved_model_dir="")
    except RuntimeError as error:
        raise UnsupportedError(
            f"TensorFlow {version} cannot load the TensorRT libraries (libnvinfer); {ALTERNATIVES}"
        ) from error
    if not tf.config.list_physical_devices("GPU"):
        raise UnsupportedError(
            f"TensorFlow {version} finds no GPU, and engines are built for one; run the command on "
            "the machine that will use them"
        )


def converter_options(source: Path, precision: str) -> dict[str, Any]:
    """The arguments of `tf.experimental.tensorrt.Converter`.

    Args:
        source: a SavedModel of `write_serving_model`.
        precision: FP32, FP16 or INT8.
    """
    return {
        "input_saved_model_dir": str(source),
        "input_saved_model_signature_key": PREDICT,
        "precision_mode": precision,
        "use_calibration": precision == "INT8",
        "use_dynamic_shape": True,
        "dynamic_shape_profile_strategy": "Range",
        # TensorFlow computes a batch that fits no engine, instead of waiting for a new engine.
        "allow_build_at_runtime": False,
    }


def shape_batches() -> Iterator[dict[str, tf.Tensor]]:
    """Yields batches of the smallest, usual and largest size; the first has an empty text."""
    for size in BATCHES:
        texts = (list(GOLDEN_TEXTS) * size)[:size]
        yield {"text": tf.constant([text.encode() for text in texts])}


def calibration_batches(texts: list[str]) -> Iterator[dict[str, tf.Tensor]]:
    """Yields batches for the ranges of activations, all of one shape.

    Each batch ends with the longest text, which sets the length of a pretrained encoder's tensors.

    Args:
        texts: training texts in a random order.
    """
    chosen = texts[: CALIBRATION_BATCHES * BATCHES[1]]
    size = min(BATCHES[1], len(chosen))
    longest = max(chosen, key=len)
    for start in range(0, len(chosen) - size + 1, size):
        batch = [*chosen[start : start + size - 1], longest]
        yield {"text": tf.constant([text.encode("utf-8", "replace") for text in batch])}


def convert(
    classifier: KerasClassifier, version: int, precision: str, texts: list[str], folder: Path
) -> dict[str, Any]:
    """Writes a SavedModel whose engines are built, with the signature `serving_default`.

    Args:
        classifier: classifier of a run.
        version: number that the output "version" has.
        precision: FP32, FP16 or INT8.
        texts: training texts, on which INT8 is calibrated; other precisions do not use them.
        folder: folder to write to.

    Returns:
        "engines", the number of TensorRT engines in the graph, and "golden_difference".

    Raises:
        GateError: TensorRT converted no part of the graph.
        ParityError: the predictions differ from Keras.
    """
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "model"
        write_serving_model(classifier, version, source)
        converter = tf.experimental.tensorrt.Converter(**converter_options(source, precision))
        calibrate = partial(calibration_batches, texts) if precision == "INT8" else None
        converter.convert(calibration_input_fn=calibrate)
        converter.build(input_fn=shape_batches)
        converter.save(str(folder))
    signature = tf.saved_model.load(str(folder)).signatures[PREDICT]
    engines = sum(op.type == "TRTEngineOp" for op in signature.graph.get_operations())
    if not engines:
        raise GateError("TensorRT converted no part of the graph")
    predict_proba = partial(predict_singly, signature)
    difference = check_golden(predict_proba, classifier, TOLERANCES[precision])
    return {"engines": engines, "golden_difference": difference}
