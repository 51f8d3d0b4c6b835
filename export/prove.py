"""Makes one .tflite of a run: converted, its decision refitted, and every claim checked."""

import gzip
import tempfile
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path

import numpy as np
import pandas as pd

from export.calibration import read_training_texts
from export.convert import append_metadata, convert
from export.gate import check_agreement, check_golden, check_ops, check_size, compare
from export.inputs import describe_input
from export.metadata import describe_run
from export.recipes import RECIPES
from export.runtime import EdgeClassifier
from kerasclf.classifier import Classifier
from kerasclf.decision.offsets import fit_offsets
from kerasclf.files import read_json
from kerasclf.layout import RunLayout


@dataclass(frozen=True)
class FileReport:
    """What a file costs and what it lost, on validation rows."""

    recipe: str
    bytes: int
    gzip_bytes: int
    macro_f1: float
    keras_macro_f1: float
    worst_recall_drop: float
    golden_difference: float


def make_file(
    layout: RunLayout, recipe_name: str, max_drop: float, smaller: Classifier | None = None
) -> tuple[bytes, FileReport]:
    """Makes the file of a run.

    If the run decides with offsets, they are fitted again on this file's own validation scores.

    Args:
        layout: a finished run.
        recipe_name: one of RECIPES.
        max_drop: largest drop of macro-F1 and of a class's recall on validation.
        smaller: a classifier that takes the place of the run's; drops are still those against the
            run.

    Returns:
        The file's content, and what was measured of it.

    Raises:
        GateError: the file must not be kept.
        UserError: the run's data cannot be read again (for a recipe that calibrates).
    """
    classifier, recipe = smaller or Classifier.load(layout.root), RECIPES[recipe_name]
    texts, classes, keras_decided = read_rows(layout, "validation")
    calibration = read_training_texts(layout) if recipe.name == "full_int8" else []
    source = describe_input(classifier)
    tables = sum(prod(w.shape) for w in classifier.core.weights if w.name == "embeddings")
    metadata = describe_run(layout, "kerasclf-tflite-1") | source.metadata
    metadata["recipe"] = recipe_name
    if smaller is not None:
        del metadata["keras_test_measures"]  # the run's own are not those of another network
    vocabulary = []
    if source.metadata["input"] == "tokens":
        vocabulary = sorted((layout.featurizer / "assets" / "tokenizer").glob("*"))

    def build() -> tuple[bytes, EdgeClassifier]:
        model = convert(classifier, recipe, calibration)
        check_ops(model)
        check_size(model, classifier.core.count_params(), tables, recipe)
        metadata["decision"] = asdict(classifier.decision)
        content = append_metadata(model, metadata, vocabulary)
        return content, load_file(content, classifier)

    content, file = build()
    difference = check_golden(file, classifier, recipe)
    outputs = [file.run(text) for text in texts]
    if any(classifier.decision.offsets):
        probabilities = np.concatenate([output["probabilities"] for output in outputs])
        offsets = fit_offsets(np.log(np.maximum(probabilities, 1e-30)), classes)
        classifier.decision = replace(classifier.decision, offsets=tuple(offsets.tolist()))
        content, file = build()
        outputs = [file.run(text) for text in texts]
    decided = np.array([int(output["label"][0]) for output in outputs])
    agreement = compare(classes, decided, keras_decided, classifier.labels)
    check_agreement(agreement, max_drop)
    return content, FileReport(
        recipe=recipe_name,
        bytes=len(content),
        gzip_bytes=len(gzip.compress(content)),
        macro_f1=agreement.macro_f1,
        keras_macro_f1=agreement.keras_macro_f1,
        worst_recall_drop=agreement.worst_recall_drop,
        golden_difference=difference,
    )


def read_rows(layout: RunLayout, split: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Texts, class ids and the class ids that the run decided on, each [n], of a split."""
    rows = pd.read_parquet(layout.predictions, filters=[("split", "==", split)])
    labels = read_json(layout.labels)
    ids = [rows[c].map(labels.index).to_numpy(np.int64) for c in ("label", "predicted_label")]
    return rows["text"].tolist(), *ids


def load_file(content: bytes, classifier: Classifier) -> EdgeClassifier:
    """A file, with the featurizer of its classifier before it where it takes token ids."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        return EdgeClassifier(path, read=describe_input(classifier).read)
