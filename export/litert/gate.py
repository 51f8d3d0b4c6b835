"""The checks that a converted file must pass before it is kept."""

from dataclasses import dataclass

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from export.litert.recipes import Recipe
from export.program.golden import GateError
from kerasclf.statistics.metrics import class_scores, confusion_matrix, summarize

SMALLEST_SHARE, LARGEST_SHARE, OVERHEAD_BYTES = 0.8, 1.3, 200_000


@dataclass(frozen=True)
class Agreement:
    """A file compared with its Keras model on validation rows.

    Attributes:
        macro_f1: macro-F1 of the file.
        keras_macro_f1: macro-F1 of the Keras model.
        worst_recall_drop: largest drop of the recall of a class, beyond one row.
        worst_class: label of that class.
    """

    macro_f1: float
    keras_macro_f1: float
    worst_recall_drop: float
    worst_class: str

    @property
    def macro_f1_drop(self) -> float:
        """Macro-F1 that the file lost."""
        return self.keras_macro_f1 - self.macro_f1


def check_ops(model: bytes) -> None:
    """Checks that the graph has only builtin ops and no variables.

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
        raise GateError(f"it has ops that a device does not have: {', '.join(sorted(custom))}")


def check_size(model: bytes, weights: int, table_weights: int, recipe: Recipe) -> None:
    """Checks that a flatbuffer has all weights, and little else.

    Args:
        model: the flatbuffer.
        weights: number of weights.
        table_weights: number of weights in embedding tables, among them.
        recipe: recipe of the file.

    Raises:
        GateError: it is too small (weights are missing) or too large.
    """
    expected = (weights - table_weights) * recipe.bytes_per_weight
    expected += table_weights * recipe.bytes_per_table_weight
    low, high = SMALLEST_SHARE * expected, LARGEST_SHARE * expected + OVERHEAD_BYTES
    if not low <= len(model) <= high:
        raise GateError(
            f"it has {len(model)} bytes; expected {low:.0f} to {high:.0f} for {weights} weights"
        )


def compare(
    class_ids: np.ndarray,
    predicted: np.ndarray,
    keras_predicted: np.ndarray,
    labels: tuple[str, ...],
) -> Agreement:
    """Compares the decisions of a file with those of its Keras model.

    The drop of a class's recall counts only beyond one row, since one row is a large share of a
    rare class.

    Args:
        class_ids: int64 [n], true class ids.
        predicted: int64 [n], class ids that the file decided on.
        keras_predicted: int64 [n], class ids that Keras decided on.
        labels: label names.
    """
    num_classes = len(labels)
    both = [confusion_matrix(class_ids, ids, num_classes) for ids in (predicted, keras_predicted)]
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
    drops = {
        "macro-F1": agreement.macro_f1_drop,
        f"recall of {agreement.worst_class!r}": agreement.worst_recall_drop,
    }
    for name, drop in drops.items():
        if drop > max_drop:
            raise GateError(f"{name} drops by {drop:.4f} on validation; --max-drop is {max_drop:g}")


def check_same_labels(same: float, same_perturbed: float, least: float) -> None:
    """Checks that a file gives enough texts the label that Keras gives them.

    Args:
        same: share of the validation texts.
        same_perturbed: share of the perturbed ones.
        least: smallest share that is enough.

    Raises:
        GateError: one of them is smaller.
    """
    for share, texts in ((same, "validation texts"), (same_perturbed, "perturbed texts")):
        if share < least:
            raise GateError(
                f"it gives {share:.2%} of the {texts} the label of Keras; --min-agreement is "
                f"{least:.2%}"
            )
