"""What a review threshold costs and buys: review load against accuracy and recall of the rest."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

STEPS = 60


def measure_thresholds(rows: pd.DataFrame, labels: list[str]) -> list[dict[str, Any]]:
    """Measures what is decided without people, at thresholds of the confidence.

    Args:
        rows: n validation rows with label, predicted_label and confidence.
        labels: label names by class id.

    Returns:
        By rising threshold: "below", "load" (share of the rows that people review), "accuracy" of
        the others and "recall" of each class among them, each as [value, low, high] with a 95 %
        Wilson interval; None where there is no such row.
    """
    confidence = rows["confidence"].to_numpy(dtype=np.float64)
    hit = (rows["label"] == rows["predicted_label"]).to_numpy()
    true = rows["label"].to_numpy(dtype=object)
    quantiles = np.quantile(confidence, np.linspace(0, 0.98, STEPS)) if len(rows) else []
    steps = []
    for below in sorted({0.0, *np.floor(np.array(quantiles) * 1000) / 1000}):
        alone = confidence >= below
        steps.append(
            {
                "below": float(below),
                "load": float(1 - alone.mean()),
                "accuracy": _share(hit[alone]),
                "recall": {label: _share(hit[alone & (true == label)]) for label in labels},
            }
        )
    return steps


def _share(hits: np.ndarray) -> list[float] | None:
    if not len(hits):
        return None
    count, total = int(hits.sum()), len(hits)
    interval = binomtest(count, total).proportion_ci(method="wilson")
    return [round(float(value), 4) for value in (count / total, interval.low, interval.high)]
