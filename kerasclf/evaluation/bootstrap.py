"""Percentile bootstrap intervals of measures, and of the difference of two models."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasclf.evaluation.metrics import (
    confusion_matrix,
    expected_calibration_error,
    log_losses,
    summarize,
)

RESAMPLES = 1000


def resamples(n: int, seed: int, count: int = RESAMPLES) -> Iterator[np.ndarray]:
    """Places of the rows of each resample, int64 [n], drawn with replacement; seeded."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        yield random.integers(n, size=n)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of resampled values (Efron 1979, percentile method)."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def measure(
    labels: np.ndarray,
    predicted: np.ndarray,
    log_probabilities: np.ndarray,
    ordered: bool,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Every measure of a model with its 95 % interval.

    Args:
        labels: int [n], class ids.
        predicted: int [n], decided class ids.
        log_probabilities: float [n, classes], calibrated.
        ordered: whether the classes are ordered.
        seed: of the resamples.

    Returns:
        {measure: {"value", "low", "high"}}; log loss in nats.
    """

    def all_of(rows: np.ndarray) -> dict[str, float]:
        return measure_once(labels[rows], predicted[rows], log_probabilities[rows], ordered)

    values = all_of(np.arange(len(labels)))
    samples = [all_of(rows) for rows in resamples(len(labels), seed)]
    found = {}
    for name, value in values.items():
        low, high = interval(np.array([sample[name] for sample in samples]))
        found[name] = {"value": value, "low": low, "high": high}
    return found


def measure_once(
    labels: np.ndarray, predicted: np.ndarray, log_probabilities: np.ndarray, ordered: bool
) -> dict[str, float]:
    """Every measure of a model without intervals; the arguments are those of `measure`."""
    classes = log_probabilities.shape[1]
    confidence = np.exp(log_probabilities.max(axis=1))
    hits = log_probabilities.argmax(axis=1) == labels
    found = summarize(confusion_matrix(labels, predicted, classes), ordered)
    return {
        **{name: float(value) for name, value in found.items()},
        "log_loss": float(log_losses(log_probabilities, labels).mean()),
        "ece": expected_calibration_error(confidence, hits),
    }


def compare(
    labels: np.ndarray, predicted: np.ndarray, baseline: np.ndarray, classes: int, seed: int
) -> dict[str, Any]:
    """Whether a model beats a baseline on the same rows, by a paired bootstrap of macro-F1.

    Args:
        labels: int [n], class ids.
        predicted: int [n], class ids of the model.
        baseline: int [n], class ids of the baseline.
        classes: number of classes.
        seed: of the resamples.

    Returns:
        "difference" in macro-F1 with "low" and "high" of its 95 % interval, and "verdict": better
        or worse where the interval excludes 0, else undecided.
    """

    def difference(rows: np.ndarray) -> float:
        scores = [
            summarize(confusion_matrix(labels[rows], of[rows], classes), False)["macro_f1"]
            for of in (predicted, baseline)
        ]
        return float(scores[0] - scores[1])

    low, high = interval(np.array([difference(rows) for rows in resamples(len(labels), seed)]))
    verdict = "better" if low > 0 else "worse" if high < 0 else "undecided"
    value = difference(np.arange(len(labels)))
    return {"difference": value, "low": low, "high": high, "verdict": verdict}
