"""Converts a classifier to the content of a .tflite."""

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
from tensorflow.lite.python import schema_py_generated as schema

from export.litert.gate import check_ops
from export.litert.recipes import CALIBRATION_TEXTS, Recipe
from export.program.classify import SIGNATURE, write_saved_model
from export.program.inputs import FileInput
from kerasclf.classifier import KerasClassifier
from kerasclf.edge_runtime import METADATA

FIRST = ("probabilities", "label", "review")
"""Outputs in their order in a file."""
TOKENIZER = "tokenizer"
"""Folder, in the zip, of the tokenizer's files."""


def convert(
    classifier: KerasClassifier,
    file_input: FileInput,
    recipe: Recipe,
    calibration_texts: Sequence[str],
    with_network: bool = False,
) -> bytes:
    """Converts a classifier with its decision.

    Args:
        classifier: classifier of a run.
        file_input: its inputs.
        recipe: how weights are stored.
        calibration_texts: training texts, for recipes that calibrate.
        with_network: as of `make_program`.

    Returns:
        A flatbuffer with the signature of `write_saved_model`.

    Raises:
        GateError: it needs ops that a device does not have.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(classifier, file_input, Path(folder) / "model", with_network)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            f"{folder}/model", signature_keys=[SIGNATURE]
        )
        # Otherwise the converter prints pages about an unsupported op; the gate names it instead.
        converter.allow_custom_ops = True
        recipe.set_up(converter)
        # Calibration warns about the interpreter that it uses itself, and draws progress bars.
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            model = converter.convert()
            check_ops(model)  # before `finish`, which may run the model
            texts = map(file_input.read, calibration_texts[:CALIBRATION_TEXTS])
            return order_outputs(recipe.finish(model, texts))


def order_outputs(model: bytes) -> bytes:
    """Puts the probabilities first, then label and review, whatever order the converter chose.

    Programs that read outputs by position, as MediaPipe's TextClassifier, expect float32 first.
    """
    content = bytearray(model)
    flatbuffer = schema.Model.GetRootAsModel(content, 0)
    signature = flatbuffer.SignatureDefs(0)
    entries = [signature.Outputs(i) for i in range(signature.OutputsLength())]
    tensors = {entry.Name().decode(): entry.TensorIndex() for entry in entries}
    names = sorted(tensors, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    # A view of the content: the order changes in place.
    flatbuffer.Subgraphs(signature.SubgraphIndex()).OutputsAsNumpy()[:] = [
        tensors[name] for name in names
    ]
    return bytes(content)


def append_metadata(model: bytes, metadata: dict[str, Any], files: Iterable[Path] = ()) -> bytes:
    """Appends metadata as JSON, and files, in a zip, as TFLite metadata does.

    Interpreters read the flatbuffer from the front and zip readers read the zip from the back, so
    `unzip -l model.tflite` lists it.

    Args:
        model: a flatbuffer.
        metadata: content of metadata.json.
        files: files of the tokenizer.
    """
    buffer = io.BytesIO(model)
    buffer.seek(0, io.SEEK_END)
    entries = {METADATA: json.dumps(metadata, indent=2, ensure_ascii=False).encode()}
    entries |= {f"{TOKENIZER}/{path.name}": path.read_bytes() for path in files}
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            # With a fixed time, equal content gives equal files.
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()
