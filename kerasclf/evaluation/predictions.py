"""All figures of a classifier on labelled rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kerasclf.decision.rule import Decision
from kerasclf.statistics.bootstrap import measure
from kerasclf.statistics.metrics import accuracy, class_scores, confusion_matrix

LENGTHS = (0, 32, 64, 128, 256)
"""Lower bounds, in UTF-8 bytes, of the slices by length."""
WORST_ERRORS = 20


def evaluate(
    texts: list[str],
    class_ids: np.ndarray,
    logits: np.ndarray,
    decision: Decision,
    labels: tuple[str, ...],
    ordered: bool,
    seed: int,
) -> dict[str, Any]:
    """Measures decisions on n labelled rows.

    Args:
        texts: n strings.
        class_ids: int64 [n], true class ids.
        logits: float [n, num_classes].
        decision: logits to class ids.
        labels: label names by class id.
        ordered: whether the labels are ordered.
        seed: of the bootstrap.

    Returns:
        "rows", "measures" with intervals, "per_class", "confusion" (true by predicted), "review"
        where the decision has a review band, "by_length", and the "worst_errors".
    """
    predicted = decision.decide(logits)
    log_probabilities = decision.log_probabilities(logits)
    confusion = confusion_matrix(class_ids, predicted, len(labels))
    evaluation: dict[str, Any] = {
        "rows": len(texts),
        "measures": measure(class_ids, predicted, log_probabilities, ordered, seed),
        "per_class": describe_classes(confusion, labels),
        "confusion": confusion.astype(int).tolist(),
        "by_length": _by_length(texts, class_ids, predicted, len(labels)),
        "worst_errors": _worst_errors(texts, class_ids, predicted, log_probabilities, labels),
    }
    if decision.review_below is not None:
        flagged = decision.flag(logits, predicted)
        hits = (predicted == class_ids)[~flagged]
        evaluation["review"] = {
            "below": decision.review_below,
            "share": float(flagged.mean()),
            "accuracy_of_rest": float(hits.mean()) if len(hits) else None,
        }
    return evaluation


def describe_classes(confusion: np.ndarray, labels: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support by label, of a confusion matrix."""
    scores = class_scores(confusion)
    return {
        label: {name: float(values[i]) for name, values in scores.items()}
        for i, label in enumerate(labels)
    }


def prediction_frame(
    split: str,
    rows: pd.DataFrame,
    logits: np.ndarray,
    decision: Decision,
    labels: tuple[str, ...],
    columns: Sequence[str] = (),
) -> pd.DataFrame:
    """Texts with their predictions, one row each.

    Args:
        split: validation or test.
        rows: n rows with columns row, text and label.
        logits: float [n, num_classes].
        decision: logits to class ids.
        labels: label names by class id.
        columns: further columns of the rows to keep.

    Returns:
        Frame with split, row, text, label, these columns, predicted_label, confidence, review, and
        p_LABEL and logit_LABEL for each label.
    """
    predicted = decision.decide(logits)
    probabilities = np.exp(decision.log_probabilities(logits))
    frame = rows[["row", "text", "label", *columns]].reset_index(drop=True)
    frame.insert(0, "split", split)
    frame["predicted_label"] = np.array(labels, dtype=object)[predicted]
    frame["confidence"] = probabilities[np.arange(len(predicted)), predicted]
    frame["review"] = decision.flag(logits, predicted)
    outputs = {f"p_{label}": probabilities[:, i] for i, label in enumerate(labels)}
    outputs |= {f"logit_{label}": logits[:, i] for i, label in enumerate(labels)}
    return frame.join(pd.DataFrame(outputs))


def _by_length(
    texts: list[str], class_ids: np.ndarray, predicted: np.ndarray, num_classes: int
) -> list[dict[str, Any]]:
    lengths = np.array([len(text.encode("utf-8")) for text in texts])
    slices = []
    for low, high in zip(LENGTHS, (*LENGTHS[1:], None), strict=True):
        inside = (lengths >= low) & (lengths < (high or np.inf))
        if not inside.any():
            continue
        # Macro-F1 over the true classes of the slice: it is not scored on an absent class.
        present = np.unique(class_ids[inside])
        confusion = confusion_matrix(class_ids[inside], predicted[inside], num_classes)
        slices.append(
            {
                "bytes": f"{low} to {high - 1}" if high else f"{low} and more",
                "rows": int(inside.sum()),
                "accuracy": float(accuracy(confusion)),
                "macro_f1": float(class_scores(confusion)["f1"][present].mean()),
            }
        )
    return slices


def _worst_errors(
    texts: list[str],
    class_ids: np.ndarray,
    predicted: np.ndarray,
    log_probabilities: np.ndarray,
    labels: tuple[str, ...],
) -> list[dict[str, Any]]:
    """The wrong predictions of highest confidence."""
    confidence = np.exp(log_probabilities[np.arange(len(predicted)), predicted])
    wrong = np.flatnonzero(predicted != class_ids)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:WORST_ERRORS]
    return [
        {
            "text": texts[i][:300],
            "label": labels[class_ids[i]],
            "predicted_label": labels[predicted[i]],
            "confidence": float(confidence[i]),
        }
        for i in worst
    ]
