"""Runs against each other on the same test rows: paired differences, corrected for their number."""

from itertools import combinations
from typing import Any

import numpy as np

from kerasclf.evaluation.bootstrap import interval, resamples
from kerasclf.evaluation.metrics import summarize

PAIRED_RESAMPLES = 10_000
"""More than for an interval: the smallest p-value is 2 / (resamples + 1), before Holm."""
MEASURES = ("macro_f1", "accuracy")
ALPHA = 0.05


def compare_pairs(
    labels: np.ndarray, predicted: dict[str, np.ndarray], classes: int, seed: int
) -> dict[str, list[dict[str, Any]]]:
    """The difference of every two runs, by a paired bootstrap of the same rows.

    Args:
        labels: int [n], class ids.
        predicted: int [n], decided class ids, by run.
        classes: number of classes.
        seed: of the resamples.

    Returns:
        For macro_f1 and accuracy, an entry for each pair: "first", "second", "difference" (first
        less second) with "low" and "high" of its 95 % interval, "p" two-sided, "p_holm" over the
        pairs of that measure, and "verdict": better or worse (the first) where p_holm is at most
        0.05, else undecided.
    """
    # All runs in one count: each has its own range of codes of (true, predicted).
    square = classes * classes
    codes = np.stack(
        [i * square + labels * classes + of for i, of in enumerate(predicted.values())]
    )

    def measure(rows: np.ndarray) -> np.ndarray:
        """Measures of the rows, float64 [measures, runs]."""
        counts = np.bincount(codes[:, rows].ravel(), minlength=len(codes) * square)
        found = summarize(counts.reshape(-1, classes, classes).astype(np.float64), ordered=False)
        return np.stack([found[name] for name in MEASURES])

    samples = [measure(rows) for rows in resamples(len(labels), seed, PAIRED_RESAMPLES)]
    # [measures, runs, resamples], and the measures of all rows at the end.
    values = np.stack([*samples, measure(np.arange(len(labels)))], axis=-1)
    found = {}
    for name, of_runs in zip(MEASURES, values, strict=True):
        pairs = [
            {"first": first, "second": second, **_describe(of_first - of_second)}
            for (first, of_first), (second, of_second) in combinations(
                zip(predicted, of_runs, strict=True), 2
            )
        ]
        for pair, p in zip(pairs, holm([pair["p"] for pair in pairs]), strict=True):
            side = "better" if pair["difference"] > 0 else "worse"
            pair |= {"p_holm": p, "verdict": side if p <= ALPHA else "undecided"}
        found[name] = pairs
    return found


def _describe(differences: np.ndarray) -> dict[str, float]:
    """Difference, interval and p-value; the last of `differences` is that of all rows."""
    low, high = interval(differences[:-1])
    p = bootstrap_p_value(differences[:-1])
    return {"difference": float(differences[-1]), "low": low, "high": high, "p": p}


def bootstrap_p_value(differences: np.ndarray) -> float:
    """Two-sided p-value of no difference: how seldom resamples fall on the other side of 0.

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
