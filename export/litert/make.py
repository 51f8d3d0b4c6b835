"""Makes one .tflite of a run: converts it, fits its decision again, and checks the result."""

import gzip
import tempfile
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path

import numpy as np

from export.litert.convert import append_metadata, convert
from export.litert.gate import (
    check_agreement,
    check_ops,
    check_same_labels,
    check_size,
    compare,
)
from export.litert.oldest_runtime import find_oldest_runtime
from export.litert.recipes import find_recipe
from export.litert.rows import predict_rows, read_rows
from export.program.calibration import read_training_texts
from export.program.golden import check_golden
from export.program.inputs import FileInput, describe_input
from export.program.metadata import describe_run
from kerasclf.classifier import KerasClassifier
from kerasclf.console import say_status
from kerasclf.decision.offsets import fit_offsets
from kerasclf.edge_runtime import EdgeClassifier
from kerasclf.evaluation.attacks import perturb_in_turn
from kerasclf.light import open_quietly
from kerasclf.run.layout import RunLayout


@dataclass(frozen=True)
class FileReport:
    """Size of a file, and its agreement with Keras on validation rows.

    Attributes:
        recipe: name of the recipe.
        bytes: size of the file.
        gzip_bytes: its size after gzip.
        oldest_runtime: of `find_oldest_runtime`.
        macro_f1: macro-F1 of the file.
        keras_macro_f1: macro-F1 of the run.
        worst_recall_drop: largest drop of the recall of a class, beyond one row.
        golden_difference: largest difference of a probability from Keras on the golden texts.
        same_label: share of the validation texts that have the label that Keras gives them.
        same_label_perturbed: the same of these texts with typos, homoglyphs and the like.
    """

    recipe: str
    bytes: int
    gzip_bytes: int
    oldest_runtime: str | None
    macro_f1: float
    keras_macro_f1: float
    worst_recall_drop: float
    golden_difference: float
    same_label: float
    same_label_perturbed: float


def make_file(
    layout: RunLayout,
    recipe_name: str,
    max_drop: float,
    smaller: KerasClassifier | None = None,
    min_agreement: float = 0.0,
) -> tuple[bytes, FileReport]:
    """Makes the file of a run.

    If the decision has offsets, they are fitted again on this file's own validation scores.

    Args:
        layout: a finished run.
        recipe_name: key in RECIPES.
        max_drop: largest drop of macro-F1, and of the recall of a class, on validation rows.
        smaller: a compressed classifier to convert instead of the run's own; drops still count
            from the run.
        min_agreement: smallest share of texts with the label of Keras, perturbed or not.

    Returns:
        The file's content, and its report.

    Raises:
        GateError: the file must not be kept.
        UserError: the run's data cannot be read again (for a recipe that calibrates).
    """
    classifier = smaller or KerasClassifier.load(layout.root)
    rows, maker = read_rows(layout, "validation"), _Maker(layout, recipe_name, classifier)
    if smaller is not None:
        del maker.metadata["keras_test_measures"]  # of the run, not of another network
    content, file, difference = maker.build_and_check()
    probabilities, predicted = predict_rows(file, rows.texts)
    if any(classifier.decision.offsets):
        offsets = fit_offsets(np.log(np.maximum(probabilities, 1e-30)), rows.class_ids)
        content, file = maker.build(_with_offsets(classifier, offsets))
        probabilities, predicted = predict_rows(file, rows.texts)
    agreement = compare(rows.class_ids, predicted, rows.keras_predicted, classifier.labels)
    check_agreement(agreement, max_drop)
    perturbed = perturb_in_turn(rows.texts)
    same = float((predicted == rows.keras_predicted).mean())
    expected = (KerasClassifier.load(layout.root) if smaller else classifier).run(perturbed)[0]
    same_perturbed = float((predict_rows(file, perturbed)[1] == expected).mean())
    check_same_labels(same, same_perturbed, min_agreement)
    return content, FileReport(
        recipe=recipe_name,
        bytes=len(content),
        gzip_bytes=len(gzip.compress(content)),
        oldest_runtime=find_oldest_runtime(content),
        macro_f1=agreement.macro_f1,
        keras_macro_f1=agreement.keras_macro_f1,
        worst_recall_drop=agreement.worst_recall_drop,
        golden_difference=difference,
        same_label=same,
        same_label_perturbed=same_perturbed,
    )


def make_exact_file(layout: RunLayout, classifier: KerasClassifier) -> bytes:
    """The content of the float32 .tflite of a run, with the decision of the run itself.

    If a linear part is joined to a network, the logits of the network are an output, too:
    predictions are explained by them.

    Args:
        layout: a finished run.
        classifier: its Keras model.

    Raises:
        GateError: it needs ops that LiteRT lacks, or differs from Keras on the golden texts.
    """
    maker = _Maker(layout, "float32", classifier, with_network=True)
    return maker.build_and_check()[0]


class _Maker:
    """Makes files of a run by one recipe."""

    def __init__(
        self,
        layout: RunLayout,
        recipe_name: str,
        classifier: KerasClassifier,
        with_network: bool = False,
    ):
        self._with_network, self._recipe_name = with_network, recipe_name
        self._recipe, self._classifier = find_recipe(recipe_name), classifier
        self._calibration_texts = read_training_texts(layout) if self._recipe.calibrates else []
        self._input = describe_input(classifier)
        self._weights = classifier.core.count_params()
        tables = (w for w in classifier.core.weights if w.name == "embeddings")
        self._in_tables = sum(prod(w.shape) for w in tables)
        self._tokenizer = sorted(layout.featurizer.rglob("assets/tokenizer/*"))
        self.metadata = describe_run(layout, "kerasclf-tflite-1") | self._input.metadata
        self.metadata["recipe"] = recipe_name

    def build(self, classifier: KerasClassifier) -> tuple[bytes, EdgeClassifier]:
        """A file with the decision of a classifier that has the same network."""
        say_status(f"converting to {self._recipe_name}")
        model = convert(
            classifier, self._input, self._recipe, self._calibration_texts, self._with_network
        )
        check_ops(model)
        check_size(model, self._weights, self._in_tables, self._recipe)
        decision = {"decision": asdict(classifier.decision)}
        content = append_metadata(model, self.metadata | decision, self._tokenizer)
        return content, load_file(content, self._input)

    def build_and_check(self) -> tuple[bytes, EdgeClassifier, float]:
        """A file, and its largest difference from Keras on the golden texts."""
        content, file = self.build(self._classifier)
        say_status("comparing the file with Keras")
        tolerance = self._recipe.tolerance
        return content, file, check_golden(file.predict_proba, self._classifier, tolerance)


def _with_offsets(classifier: KerasClassifier, offsets: np.ndarray) -> KerasClassifier:
    decision = replace(classifier.decision, offsets=tuple(offsets.tolist()))
    return KerasClassifier(classifier.featurizer, classifier.core, classifier.labels, decision)


def load_file(content: bytes, file_input: FileInput) -> EdgeClassifier:
    """Loads the content of a file, with the tokenizer of `file_input` if it takes token ids."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        return open_quietly(path, file_input.read)
