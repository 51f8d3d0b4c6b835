"""Percentile bootstrap intervals of metrics, and of the difference between two models."""

from collections.abc import Iterator
from functools import partial
from typing import TypedDict

import numpy as np

from kerasclf.statistics.metrics import (
    CONFUSION_METRICS,
    PROBABILITY_METRICS,
    confusion_matrix,
    count_classes,
    macro_f1,
    summarize,
)

RESAMPLES = 1000
DECISION_METRICS = ("accuracy", "macro_f1")
"""Metrics of parts of the rows."""


class Estimate(TypedDict):
    """A metric with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


class Difference(TypedDict):
    """A difference between two models with the bounds of its 95 % interval.

    The verdict is "better" or "worse" where the interval excludes 0, else "undecided".
    """

    difference: float
    low: float
    high: float
    verdict: str


def resamples(n: int, seed: int, count: int = RESAMPLES) -> Iterator[np.ndarray]:
    """Row positions of each resample, int64 [n], drawn with replacement from the seed."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        yield random.integers(n, size=n)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of resampled values (Efron 1979, percentile method)."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def measure(
    class_ids: np.ndarray,
    predicted: np.ndarray,
    log_probabilities: np.ndarray,
    ordered: bool,
    seed: int,
) -> dict[str, Estimate]:
    """All metrics of a model with their 95 % intervals.

    Args:
        class_ids: int64 [n], true class ids.
        predicted: int64 [n], predicted class ids.
        log_probabilities: float [n, num_classes], calibrated.
        ordered: whether the labels are ordered.
        seed: of the resamples.

    Returns:
        An estimate for each metric; log loss in nats.
    """

    num_classes = log_probabilities.shape[1]
    reduced, position_of_true = _reduce(log_probabilities, class_ids)

    def measure_rows(rows: np.ndarray) -> dict[str, float]:
        return {
            **_summarize(class_ids[rows], predicted[rows], num_classes, ordered),
            **_measure_probabilities(reduced[rows], position_of_true[rows]),
        }

    values = measure_rows(np.arange(len(class_ids)))
    samples = [measure_rows(rows) for rows in resamples(len(class_ids), seed)]
    estimates = {}
    for name, value in values.items():
        low, high = interval(np.array([sample[name] for sample in samples]))
        estimates[name] = Estimate(value=value, low=low, high=high)
    return estimates


def measure_decisions(
    class_ids: np.ndarray, predicted: np.ndarray, num_classes: int, seed: int
) -> dict[str, Estimate]:
    """Accuracy and macro-F1 with their 95 % intervals.

    Args:
        class_ids: int64 [n], true class ids.
        predicted: int64 [n], predicted class ids.
        num_classes: number of classes.
        seed: of the resamples.
    """

    def measure_rows(rows: np.ndarray) -> list[float]:
        counts = count_classes(class_ids[rows], predicted[rows], num_classes)
        return [float(CONFUSION_METRICS[name](counts)) for name in DECISION_METRICS]

    values = measure_rows(np.arange(len(class_ids)))
    samples = np.array([measure_rows(rows) for rows in resamples(len(class_ids), seed)])
    bounds = map(interval, samples.T)
    return {
        name: Estimate(value=value, low=low, high=high)
        for name, value, (low, high) in zip(DECISION_METRICS, values, bounds, strict=True)
    }


def measure_once(
    class_ids: np.ndarray, predicted: np.ndarray, log_probabilities: np.ndarray, ordered: bool
) -> dict[str, float]:
    """All metrics of a model without intervals; the arguments are those of `measure`."""
    return {
        **_summarize(class_ids, predicted, log_probabilities.shape[1], ordered),
        **_measure_probabilities(log_probabilities, class_ids),
    }


def _summarize(
    class_ids: np.ndarray, predicted: np.ndarray, num_classes: int, ordered: bool
) -> dict[str, float]:
    count = confusion_matrix if ordered else count_classes
    metrics = summarize(count(class_ids, predicted, num_classes), ordered)
    return {name: float(value) for name, value in metrics.items()}


def _measure_probabilities(
    log_probabilities: np.ndarray, class_ids: np.ndarray
) -> dict[str, float]:
    return {
        name: metric(log_probabilities, class_ids) for name, metric in PROBABILITY_METRICS.items()
    }


def _reduce(log_probabilities: np.ndarray, class_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the metrics of probabilities read: the most probable class and the true one.

    Args:
        log_probabilities: float [n, num_classes].
        class_ids: int64 [n], true class ids.

    Returns:
        float [n, 2], in the first column -inf if the most probable class is the true one; and the
        column of the true class, int64 [n], which is 1.
    """
    rows, top = np.arange(len(class_ids)), log_probabilities.argmax(axis=1)
    other = np.where(top == class_ids, -np.inf, log_probabilities[rows, top])
    reduced = np.stack([other, log_probabilities[rows, class_ids]], axis=1)
    return reduced, np.ones(len(class_ids), dtype=np.int64)


def macro_f1_difference(
    class_ids: np.ndarray,
    predicted: np.ndarray,
    other: np.ndarray,
    num_classes: int,
    rows: np.ndarray,
) -> float:
    """Macro-F1 of a model less that of another one.

    Args:
        class_ids: int64 [n], true class ids.
        predicted: int64 [n], class ids predicted by the model.
        other: int64 [n], class ids predicted by the other one.
        num_classes: number of classes.
        rows: positions of the rows that count, some of them several times.
    """
    model_f1, other_f1 = (
        macro_f1(count_classes(class_ids[rows], ids[rows], num_classes))
        for ids in (predicted, other)
    )
    return float(model_f1 - other_f1)


def compare(
    class_ids: np.ndarray,
    predicted: np.ndarray,
    baseline: np.ndarray,
    num_classes: int,
    seed: int,
) -> Difference:
    """Whether a model beats a baseline on the same rows, by a paired bootstrap of macro-F1.

    Args:
        class_ids: int64 [n], true class ids.
        predicted: int64 [n], class ids predicted by the model.
        baseline: int64 [n], class ids predicted by the baseline.
        num_classes: number of classes.
        seed: of the resamples.

    Returns:
        The macro-F1 of the model less that of the baseline.
    """
    difference = partial(macro_f1_difference, class_ids, predicted, baseline, num_classes)
    low, high = interval(np.array([difference(rows) for rows in resamples(len(class_ids), seed)]))
    return Difference(
        difference=difference(np.arange(len(class_ids))),
        low=low,
        high=high,
        verdict="better" if low > 0 else "worse" if high < 0 else "undecided",
    )
