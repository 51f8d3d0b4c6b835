"""What a report shows of a model with many classes: pictures and tables of bounded size."""

from typing import TypedDict

import numpy as np

MOST_CLASSES = 40
"""Classes that a picture shows at most."""
PAIRS = 25
WEAKEST = 15
OTHERS = "others"


class ConfusedPair(TypedDict):
    """Rows of one class that were predicted as another.

    Attributes:
        label: true class.
        predicted_label: predicted class.
        rows: their number.
        share: of the rows of the true class.
    """

    label: str
    predicted_label: str
    rows: int
    share: float


def has_many(labels: list[str]) -> bool:
    """Whether there are more classes than a picture shows."""
    return len(labels) > MOST_CLASSES


def confused_pairs(confusion: np.ndarray, labels: list[str]) -> list[ConfusedPair]:
    """The 25 most frequent wrong pairs of classes, the most frequent first.

    Args:
        confusion: int [num_classes, num_classes], true class by predicted class.
        labels: label names by class id.
    """
    wrong = confusion - np.diag(np.diagonal(confusion))
    order = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    support = confusion.sum(axis=1)
    return [
        ConfusedPair(
            label=labels[i],
            predicted_label=labels[j],
            rows=int(wrong[i, j]),
            share=float(wrong[i, j] / support[i]),
        )
        for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True)
        if wrong[i, j]
    ]


def fold_confusion(confusion: np.ndarray, labels: list[str]) -> tuple[np.ndarray, list[str]]:
    """The confusion matrix of the classes with the most errors, all others as one class.

    Args:
        confusion: int [num_classes, num_classes].
        labels: label names by class id.

    Returns:
        int [k, k] and k names, at most 40 and the others; what was given, if there are not more.
    """
    if not has_many(labels):
        return confusion, labels
    hits = np.diagonal(confusion)
    errors = confusion.sum(axis=0) + confusion.sum(axis=1) - 2 * hits
    shown = np.sort(np.argsort(-errors, kind="stable")[:MOST_CLASSES])
    place = np.full(len(labels), MOST_CLASSES)
    place[shown] = np.arange(MOST_CLASSES)
    folded = np.zeros((MOST_CLASSES + 1, MOST_CLASSES + 1), dtype=confusion.dtype)
    np.add.at(folded, (place[:, None], place[None, :]), confusion)
    return folded, [*(labels[i] for i in shown), OTHERS]


def weakest(per_class: dict[str, dict[str, float]], most: int) -> list[str]:
    """The classes that have rows and the lowest F1, at most `most`, the lowest first."""
    present = [label for label, scores in per_class.items() if scores["support"]]
    return sorted(present, key=lambda label: per_class[label]["f1"])[:most]
