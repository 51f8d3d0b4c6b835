"""Several models on the same rows: paired differences, corrected for multiple comparisons."""

from itertools import combinations
from typing import TypedDict

import numpy as np

from kerasclf.statistics.bootstrap import interval, resamples
from kerasclf.statistics.metrics import CONFUSION_METRICS

PAIRED_RESAMPLES = 10_000
"""More than for an interval: the smallest p-value is 2 / (resamples + 1), before Holm."""
COMPARED = ("macro_f1", "accuracy")
ALPHA = 0.05


class PairDifference(TypedDict):
    """The difference of two models in a metric: the first less the second.

    It has the bounds of its 95 % interval, the two-sided p-value and that after Holm's correction
    for all pairs of the metric. The verdict on the first model is "better" or "worse" where the
    corrected p-value is at most 0.05, else "undecided".
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    verdict: str


def compare_pairs(
    class_ids: np.ndarray, predicted: dict[str, np.ndarray], num_classes: int, seed: int
) -> dict[str, list[PairDifference]]:
    """The difference of every two models, by a paired bootstrap of the same rows.

    Args:
        class_ids: int64 [n], true class ids.
        predicted: int64 [n], predicted class ids, by model.
        num_classes: number of classes.
        seed: of the resamples.

    Returns:
        For macro_f1 and accuracy, the difference of each pair, in the order of `predicted`.
    """
    # All models in one bincount: each has its own range of codes of (true, predicted).
    square = num_classes * num_classes
    codes = np.stack(
        [i * square + class_ids * num_classes + ids for i, ids in enumerate(predicted.values())]
    )

    def measure(rows: np.ndarray) -> np.ndarray:
        """Metrics of the rows, float64 [metrics, models]."""
        counts = np.bincount(codes[:, rows].ravel(), minlength=len(codes) * square)
        confusions = counts.reshape(-1, num_classes, num_classes).astype(np.float64)
        return np.stack([CONFUSION_METRICS[name](confusions) for name in COMPARED])

    samples = [measure(rows) for rows in resamples(len(class_ids), seed, PAIRED_RESAMPLES)]
    # [metrics, models, resamples + 1]; the last one has all rows, each once.
    values = np.stack([*samples, measure(np.arange(len(class_ids)))], axis=-1)
    return {
        name: _describe_pairs(dict(zip(predicted, model_values, strict=True)))
        for name, model_values in zip(COMPARED, values, strict=True)
    }


def _describe_pairs(values: dict[str, np.ndarray]) -> list[PairDifference]:
    """The differences of all pairs of models in a metric.

    Args:
        values: float64 [resamples + 1] by model; the last one is that of all rows.
    """
    pairs = list(combinations(values, 2))
    differences = [values[first] - values[second] for first, second in pairs]
    p_values = [bootstrap_p_value(difference[:-1]) for difference in differences]
    described = []
    for (first, second), difference, p, p_holm in zip(
        pairs, differences, p_values, holm(p_values), strict=True
    ):
        low, high = interval(difference[:-1])
        side = "better" if difference[-1] > 0 else "worse"
        described.append(
            PairDifference(
                first=first,
                second=second,
                difference=float(difference[-1]),
                low=low,
                high=high,
                p=p,
                p_holm=p_holm,
                verdict=side if p_holm <= ALPHA else "undecided",
            )
        )
    return described


def bootstrap_p_value(differences: np.ndarray) -> float:
    """Two-sided p-value of no difference: how rarely resamples fall on the other side of 0.

    Twice the smaller tail, with one added above and below so that it is never 0. Davison and
    Hinkley, Bootstrap Methods and their Application, 1997, section 4.2.

    Args:
        differences: float [resamples].
    """
    tail = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    return min(1.0, 2 * (tail + 1) / (len(differences) + 1))


def holm(p_values: list[float]) -> list[float]:
    """P-values corrected for their number m, in the given order.

    The i-th smallest (from 0) is multiplied by m - i, and none is smaller than the one before it.
    Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979.
    """
    p = np.array(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected.tolist()
