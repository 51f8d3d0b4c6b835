"""Metrics of predictions. Every metric of the reports is an entry in one of the tables below.

A metric that is added to a table appears in metrics.json, in the reports and among the `--target`
options.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

ECE_BINS = 15


class Counts(NamedTuple):
    """What most metrics need of a confusion matrix; for many classes, it is much smaller.

    Attributes:
        hits: rows of each class that are predicted right, float64 [..., num_classes].
        support: rows of each true class, likewise.
        predicted: rows of each predicted class, likewise.
    """

    hits: np.ndarray
    support: np.ndarray
    predicted: np.ndarray


Confusion = np.ndarray | Counts
"""A confusion matrix, float [..., num_classes, num_classes], or its counts."""


def confusion_matrix(class_ids: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts, float64 [num_classes, num_classes], true class by predicted class."""
    flat = np.bincount(class_ids * num_classes + predicted, minlength=num_classes * num_classes)
    return flat.reshape(num_classes, num_classes).astype(np.float64)


def count_classes(class_ids: np.ndarray, predicted: np.ndarray, num_classes: int) -> Counts:
    """The counts of a confusion matrix that is not made.

    Args:
        class_ids: int64 [n], true class ids.
        predicted: int64 [n], predicted class ids.
        num_classes: number of classes.
    """
    hits, support, found = (
        np.bincount(ids, minlength=num_classes).astype(np.float64)
        for ids in (class_ids[class_ids == predicted], class_ids, predicted)
    )
    return Counts(hits, support, found)


def class_scores(confusion: Confusion) -> dict[str, np.ndarray]:
    """Precision, recall and F1 of each class; 0 where the denominator is 0.

    Args:
        confusion: float [..., num_classes, num_classes], or its counts.

    Returns:
        "precision", "recall", "f1" and "support", float [..., num_classes].
    """
    hits, support, predicted = _count(confusion)
    return {
        "precision": _ratio(hits, predicted),
        "recall": _ratio(hits, support),
        "f1": _ratio(2 * hits, support + predicted),
        "support": support,
    }


def accuracy(confusion: Confusion) -> np.ndarray:
    """Share of rows that are predicted right."""
    hits, support, _ = _count(confusion)
    return hits.sum(axis=-1) / support.sum(axis=-1)


def macro_f1(confusion: Confusion) -> np.ndarray:
    """Mean F1 of the classes that have rows.

    A resample that by chance lacks a rare class is not scored on that class, nor is a test split
    that came without it.
    """
    scores = class_scores(confusion)
    # A class without rows has no hits, so its F1 is 0.
    return _ratio(scores["f1"].sum(axis=-1), (scores["support"] > 0).sum(axis=-1))


def weighted_f1(confusion: Confusion) -> np.ndarray:
    """Mean F1 of the classes, weighted by support."""
    scores = class_scores(confusion)
    support = scores["support"]
    return (scores["f1"] * support).sum(axis=-1) / support.sum(axis=-1)


def matthews_correlation(confusion: Confusion) -> np.ndarray:
    """Matthews correlation for several classes (Gorodkin, 2004)."""
    correct, support, predicted = _count(confusion)
    total = support.sum(axis=-1)
    covariance = correct.sum(axis=-1) * total - (support * predicted).sum(axis=-1)
    spread = (total**2 - (support**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1))
    return _ratio(covariance, np.sqrt(spread))


def quadratic_kappa(confusion: np.ndarray) -> np.ndarray:
    """Weighted kappa with weights (i - j)^2 (Cohen, 1968)."""
    _, support, predicted = _count(confusion)
    distance = _distances(confusion)
    total = support.sum(axis=-1)
    chance = support[..., :, None] * predicted[..., None, :] / total[..., None, None]
    observed = (distance**2 * confusion).sum(axis=(-2, -1))
    return 1 - _ratio(observed, (distance**2 * chance).sum(axis=(-2, -1)))


def off_by_two(confusion: np.ndarray) -> np.ndarray:
    """Share of rows that are predicted two or more levels off."""
    support = confusion.sum(axis=-1)
    return ((_distances(confusion) >= 2) * confusion).sum(axis=(-2, -1)) / support.sum(axis=-1)


def log_losses(log_probabilities: np.ndarray, class_ids: np.ndarray) -> np.ndarray:
    """Log loss of each row, float64 [n], in nats."""
    return -log_probabilities[np.arange(len(class_ids)), class_ids]


def log_loss(log_probabilities: np.ndarray, class_ids: np.ndarray) -> float:
    """Mean log loss in nats."""
    return float(log_losses(log_probabilities, class_ids).mean())


def expected_calibration_error(log_probabilities: np.ndarray, class_ids: np.ndarray) -> float:
    """Mean gap between confidence and accuracy over 15 equal bins of confidence.

    Confidence is the probability of the most probable class. Naeini et al., Obtaining Well
    Calibrated Probabilities Using Bayesian Binning, 2015.

    Args:
        log_probabilities: float [n, num_classes].
        class_ids: int64 [n].
    """
    confidence = np.exp(log_probabilities.max(axis=1))
    hits = log_probabilities.argmax(axis=1) == class_ids
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = np.bincount(bins, weights=confidence - hits, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


CONFUSION_METRICS: Mapping[str, Callable[[Confusion], np.ndarray]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "weighted_f1": weighted_f1,
    "mcc": matthews_correlation,
}
"""Metrics of a confusion matrix or its counts, to float [...]."""
ORDERED_METRICS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "quadratic_kappa": quadratic_kappa,
    "off_by_two": off_by_two,
}
"""More metrics of a confusion matrix, for data whose labels are ordered."""
PROBABILITY_METRICS: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "log_loss": log_loss,
    "ece": expected_calibration_error,
}
"""Metrics of log-probabilities, float [n, num_classes], and class ids, int64 [n]."""

EXPLANATIONS: Mapping[str, str] = {
    "accuracy": "share of the rows whose label is right",
    "macro_f1": "mean of the classes' F1: rare classes count as much as frequent ones",
    "weighted_f1": "mean of the classes' F1, weighted by their rows",
    "mcc": "Matthews correlation of true and predicted labels: 0 is chance, 1 is perfect",
    "quadratic_kappa": "agreement beyond chance, in which far levels count more: 1 is perfect",
    "off_by_two": "share of the rows that are predicted two levels off or more; lower is better",
    "log_loss": "mean negative log probability of the true class; lower is better",
    "ece": "expected calibration error, of probabilities from the accuracy; lower is better",
}
"""What each metric says, in one line."""


def summarize(confusion: Confusion, ordered: bool) -> dict[str, np.ndarray]:
    """All metrics of confusion matrices.

    Args:
        confusion: float [..., num_classes, num_classes]; or its counts, if the labels are not
            ordered.
        ordered: whether the labels are ordered.

    Returns:
        Arrays [...] by name.
    """
    metrics: dict[str, Callable[[Any], np.ndarray]] = dict(CONFUSION_METRICS)
    if ordered:
        metrics |= ORDERED_METRICS
    return {name: metric(confusion) for name, metric in metrics.items()}


def _count(confusion: Confusion) -> Counts:
    if isinstance(confusion, Counts):
        return confusion
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return Counts(hits, confusion.sum(axis=-1), confusion.sum(axis=-2))


def _distances(confusion: np.ndarray) -> np.ndarray:
    """Levels between every two classes, int64 [num_classes, num_classes]."""
    levels = np.arange(confusion.shape[-1])
    return np.abs(levels[:, None] - levels[None, :])


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The quotient, and 0 where the denominator is 0."""
    return np.divide(
        numerator,
        denominator,
        out=np.zeros(np.shape(denominator)),
        where=np.asarray(denominator) > 0,
    )
