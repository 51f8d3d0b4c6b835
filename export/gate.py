"""What a converted file must prove before it is kept."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from export.golden import GOLDEN_TEXTS
from export.recipes import Recipe
from export.runtime import EdgeClassifier
from kerasclf.classifier import Classifier
from kerasclf.errors import UserError
from kerasclf.evaluation.metrics import class_scores, confusion_matrix, summarize

SMALLEST_SHARE, LARGEST_SHARE, OVERHEAD_BYTES = 0.8, 1.3, 200_000


class GateError(UserError):
    """A file that must not be kept; the message says why."""


@dataclass(frozen=True)
class Agreement:
    """How a file compares with its Keras model on validation rows."""

    macro_f1: float
    keras_macro_f1: float
    worst_recall_drop: float
    worst_class: str

    @property
    def macro_f1_drop(self) -> float:
        """What the file lost."""
        return self.keras_macro_f1 - self.macro_f1


def check_ops(model: bytes) -> None:
    """Checks that the graph has builtin ops alone and no variables.

    Raises:
        GateError: it has others; names them.
    """
    flatbuffer = schema.Model.GetRootAsModel(model, 0)
    custom, variables = set(), schema.BuiltinOperator.VAR_HANDLE
    for i in range(flatbuffer.OperatorCodesLength()):
        code = flatbuffer.OperatorCodes(i)
        if code.BuiltinCode() == schema.BuiltinOperator.CUSTOM:
            custom.add(code.CustomCode().decode())
        if code.BuiltinCode() == variables:
            custom.add("VAR_HANDLE")
    if custom:
        raise GateError(f"ops that a device does not have: {', '.join(sorted(custom))}")


def check_size(model: bytes, weights: int, table_weights: int, recipe: Recipe) -> None:
    """Checks that all weights are in the file, and little else.

    Args:
        model: the flatbuffer.
        weights: how many there are.
        table_weights: how many of them are in tables of embeddings.
        recipe: of the file.

    Raises:
        GateError: it is too small (weights were left out) or too large.
    """
    expected = (weights - table_weights) * recipe.bytes_per_weight
    expected += table_weights * recipe.bytes_per_table_weight
    low, high = SMALLEST_SHARE * expected, LARGEST_SHARE * expected + OVERHEAD_BYTES
    if not low <= len(model) <= high:
        raise GateError(
            f"{len(model)} bytes; expected {low:.0f} to {high:.0f} for {weights} weights"
        )


def check_golden(file: EdgeClassifier, classifier: Classifier, recipe: Recipe) -> float:
    """Checks that probabilities equal those of Keras on the golden texts.

    Returns:
        The largest difference.

    Raises:
        GateError: it is above the recipe's tolerance.
    """
    expected = classifier.predict_proba(GOLDEN_TEXTS)
    found = np.concatenate([file.run(text)["probabilities"] for text in GOLDEN_TEXTS])
    difference = np.abs(found - expected).max(axis=1)
    if not difference.max() <= recipe.tolerance:  # NaN is no agreement
        text = GOLDEN_TEXTS[int(np.nanargmax(difference))]
        raise GateError(
            f"probabilities differ from Keras by {difference.max():.2g} on {text[:40]!r}; "
            f"{recipe.name} may by {recipe.tolerance:g}"
        )
    return float(difference.max())


def compare(
    classes: np.ndarray, decided: np.ndarray, keras_decided: np.ndarray, labels: tuple[str, ...]
) -> Agreement:
    """Compares a file's decisions with those of its Keras model.

    A class's recall drop is counted beyond one row, since in a rare class one row is a large share.

    Args:
        classes: int [n], true class ids.
        decided: int [n], decided by the file.
        keras_decided: int [n], decided by Keras.
        labels: label names.
    """
    count = len(labels)
    both = [confusion_matrix(classes, ids, count) for ids in (decided, keras_decided)]
    macro_f1, keras_macro_f1 = (float(summarize(c, False)["macro_f1"]) for c in both)
    scores = [class_scores(confusion) for confusion in both]
    one_row = 1 / np.maximum(scores[0]["support"], 1)
    drops = np.maximum(scores[1]["recall"] - scores[0]["recall"] - one_row, 0)
    worst = int(np.argmax(drops))
    return Agreement(macro_f1, keras_macro_f1, float(drops[worst]), labels[worst])


def check_agreement(agreement: Agreement, max_drop: float) -> None:
    """Checks that a file lost at most `max_drop` of macro-F1 and of each class's recall.

    Raises:
        GateError: it lost more.
    """
    found: dict[str, Any] = {
        "macro-F1": agreement.macro_f1_drop,
        f"recall of {agreement.worst_class!r}": agreement.worst_recall_drop,
    }
    for name, drop in found.items():
        if drop > max_drop:
            raise GateError(f"{name} drops by {drop:.4f} on validation; --max-drop is {max_drop:g}")
