"""Makes one .tflite of a run: converts it, fits its decision again, and checks the result."""

import gzip
import tempfile
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path

import numpy as np

from export.litert.convert import append_metadata, convert
from export.litert.gate import check_agreement, check_ops, check_size, compare
from export.litert.recipes import find_recipe
from export.litert.rows import predict_rows, read_rows
from export.program.calibration import read_training_texts
from export.program.golden import check_golden
from export.program.inputs import FileInput, describe_input
from export.program.metadata import describe_run
from export.program.runtime import EdgeClassifier
from kerasclf.classifier import Classifier
from kerasclf.decision.offsets import fit_offsets
from kerasclf.run.layout import RunLayout


@dataclass(frozen=True)
class FileReport:
    """Size of a file, and its agreement with Keras on validation rows.

    Attributes:
        recipe: name of the recipe.
        bytes: size of the file.
        gzip_bytes: its size after gzip.
        macro_f1: macro-F1 of the file.
        keras_macro_f1: macro-F1 of the run.
        worst_recall_drop: largest drop of the recall of a class, beyond one row.
        golden_difference: largest difference of a probability from Keras on the golden texts.
    """

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

    If the decision has offsets, they are fitted again on this file's own validation scores.

    Args:
        layout: a finished run.
        recipe_name: key in RECIPES.
        max_drop: largest drop of macro-F1, and of the recall of a class, on validation rows.
        smaller: a compressed classifier to convert instead of the run's own; drops still count
            from the run.

    Returns:
        The file's content, and its report.

    Raises:
        GateError: the file must not be kept.
        UserError: the run's data cannot be read again (for a recipe that calibrates).
    """
    classifier, recipe = smaller or Classifier.load(layout.root), find_recipe(recipe_name)
    rows = read_rows(layout, "validation")
    calibration_texts = read_training_texts(layout) if recipe.calibrates else []
    file_input = describe_input(classifier)
    weights = classifier.core.count_params()
    tables = sum(prod(w.shape) for w in classifier.core.weights if w.name == "embeddings")
    metadata = describe_run(layout, "kerasclf-tflite-1") | file_input.metadata
    metadata["recipe"] = recipe_name
    if smaller is not None:
        del metadata["keras_test_measures"]  # those of the run are not those of another network
    tokenizer = sorted(layout.featurizer.rglob("assets/tokenizer/*"))

    def build(classifier: Classifier) -> tuple[bytes, EdgeClassifier]:
        model = convert(classifier, file_input, recipe, calibration_texts)
        check_ops(model)
        check_size(model, weights, tables, recipe)
        decision = {"decision": asdict(classifier.decision)}
        content = append_metadata(model, metadata | decision, tokenizer)
        return content, load_file(content, file_input)

    content, file = build(classifier)
    difference = check_golden(file.predict_proba, classifier, recipe.tolerance)
    probabilities, predicted = predict_rows(file, rows.texts)
    if any(classifier.decision.offsets):
        offsets = fit_offsets(np.log(np.maximum(probabilities, 1e-30)), rows.class_ids)
        content, file = build(_with_offsets(classifier, offsets))
        probabilities, predicted = predict_rows(file, rows.texts)
    agreement = compare(rows.class_ids, predicted, rows.keras_predicted, classifier.labels)
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


def _with_offsets(classifier: Classifier, offsets: np.ndarray) -> Classifier:
    decision = replace(classifier.decision, offsets=tuple(offsets.tolist()))
    return Classifier(classifier.featurizer, classifier.core, classifier.labels, decision)


def load_file(content: bytes, file_input: FileInput) -> EdgeClassifier:
    """Loads the content of a file, with the tokenizer of `file_input` if it takes token ids."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        return EdgeClassifier(path, read=file_input.read)
