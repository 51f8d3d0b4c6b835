"""A run's SavedModel with TensorRT inside, by TF-TRT: only where TensorFlow was built with it."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from export.golden import GOLDEN_TEXTS
from export.serving_graph import PREDICT, ServedError, check_answers, write_serving_model
from kerasclf.classifier import Classifier
from kerasclf.errors import UnsupportedError

TOLERANCES = {"FP32": 5e-3, "FP16": 5e-3, "INT8": 0.1}
"""By precision. FP32 may be TF32 inside TensorRT, whose mantissa is no longer than that of FP16."""
BATCHES = (1, 32, 256)
"""Smallest, usual and largest number of texts that engines are built for."""
CALIBRATION_BATCHES = 16

WAYS_OUT = (
    "run it in an image whose TensorFlow has it, such as nvcr.io/nvidia/tensorflow:25.02-tf2-py3, "
    "or make an engine by kerasclf onnx and trtexec"
)


def check_available() -> None:
    """Checks that TF-TRT can work here.

    Raises:
        UnsupportedError: it cannot; says what is missing.
    """
    version = tf.__version__
    if not tf.sysconfig.get_build_info()["is_tensorrt_build"]:
        raise UnsupportedError(
            f"TensorFlow {version} was built without TensorRT (is_tensorrt_build is False; 2.17 "
            f"was the last release with it); {WAYS_OUT}"
        )
    try:
        tf.experimental.tensorrt.Converter(input_saved_model_dir="")
    except RuntimeError as error:
        raise UnsupportedError(
            f"TensorFlow {version} finds no TensorRT libraries (libnvinfer) that it can load; "
            f"{WAYS_OUT}"
        ) from error
    if not tf.config.list_physical_devices("GPU"):
        raise UnsupportedError(
            f"TensorFlow {version} finds no GPU, for which engines are built; run it on the "
            "machine that is to use them"
        )


def converter_options(source: Path, precision: str) -> dict[str, Any]:
    """What `tf.experimental.tensorrt.Converter` is told.

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
        # A batch that no engine fits is computed by TensorFlow, instead of waiting for a new one.
        "allow_build_at_runtime": False,
    }


def shape_batches() -> Iterator[dict[str, tf.Tensor]]:
    """Inputs of the smallest, usual and largest size; the first is as short as a text can be."""
    for size in BATCHES:
        texts = (list(GOLDEN_TEXTS) * size)[:size]
        yield {"text": tf.constant([text.encode() for text in texts])}


def calibration_batches(texts: list[str]) -> Iterator[dict[str, tf.Tensor]]:
    """Inputs to measure the ranges of activations on, all of one shape.

    Each batch ends with the longest text, since a pretrained encoder's tensors are as long as that.

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
    classifier: Classifier, version: int, precision: str, texts: list[str], folder: Path
) -> dict[str, Any]:
    """Writes a SavedModel whose engines are built, with the signature `serving_default`.

    Args:
        classifier: of a run.
        version: number that it answers with.
        precision: FP32, FP16 or INT8.
        texts: training texts, to calibrate INT8 on; of no use to the others.
        folder: where to.

    Returns:
        "engines", the number of parts that TensorRT computes, and "golden_difference".

    Raises:
        ServedError: TensorRT took no part of it, or it does not answer as the run does.
    """
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "model"
        write_serving_model(classifier, version, source)
        converter = tf.experimental.tensorrt.Converter(**converter_options(source, precision))
        calibrate = partial(calibration_batches, texts) if precision == "INT8" else None
        converter.convert(calibration_input_fn=calibrate)
        converter.build(input_fn=shape_batches)
        converter.save(str(folder))
    answer = tf.saved_model.load(str(folder)).signatures[PREDICT]
    engines = sum(op.type == "TRTEngineOp" for op in answer.graph.get_operations())
    if not engines:
        raise ServedError("TensorRT took no part of the graph")
    difference = check_answers(answer, classifier, TOLERANCES[precision])
    return {"engines": engines, "golden_difference": difference}
