"""From a classifier to the bytes of a .tflite."""

import contextlib
import io
import json
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from export.gate import check_ops
from export.inputs import describe_input
from export.program import SIGNATURE, write_saved_model
from export.recipes import CALIBRATION_TEXTS, Recipe
from export.runtime import METADATA
from kerasclf.classifier import Classifier

VOCABULARY = "tokenizer"
"""Folder, in the zip, of what a tokenizer needs."""


def convert(classifier: Classifier, recipe: Recipe, calibration_texts: Sequence[str]) -> bytes:
    """Converts a classifier with its decision.

    Args:
        classifier: of a run.
        recipe: how weights are written.
        calibration_texts: training texts, for recipes that calibrate.

    Returns:
        A flatbuffer whose signature is that of `write_saved_model`.

    Raises:
        GateError: it needs ops that a device does not have.
    """
    read = describe_input(classifier).read
    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(classifier, Path(folder) / "model")
        converter = tf.lite.TFLiteConverter.from_saved_model(
            f"{folder}/model", signature_keys=[SIGNATURE]
        )
        # Instead of the converter's pages about an op that it cannot express, the gate names it.
        converter.allow_custom_ops = True
        recipe.set_up(converter)
        # Calibrations warn of the interpreter that they use themselves, and draw progress bars.
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            chosen = calibration_texts[:CALIBRATION_TEXTS]
            model = converter.convert()
            check_ops(model)  # quantizing may run it
            return recipe.finish(model, map(read, chosen))


def append_metadata(model: bytes, metadata: dict[str, Any], files: Iterable[Path] = ()) -> bytes:
    """Appends metadata as JSON, and files, in a zip, as TFLite metadata carries them.

    Interpreters read the flatbuffer from the front and zip readers the zip from the back, so
    `unzip -l model.tflite` lists it.
    """
    buffer = io.BytesIO(model)
    buffer.seek(0, io.SEEK_END)
    entries = {METADATA: json.dumps(metadata, indent=2, ensure_ascii=False).encode()}
    entries |= {f"{VOCABULARY}/{path.name}": path.read_bytes() for path in files}
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            # A fixed time: equal content makes equal files.
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()
