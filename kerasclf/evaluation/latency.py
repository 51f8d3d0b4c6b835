"""Latency of one text, from the string to the label."""

import time
from collections.abc import Callable

import numpy as np

CALLS = 300
WARM_UP = 20
PERCENTILES = (50, 95, 99)


def measure_latency(predict: Callable[[list[str]], object], texts: list[str]) -> dict[str, float]:
    """Times single predictions, including tokenization.

    Args:
        predict: takes a list of one text.
        texts: texts to predict in turn; never test rows.

    Returns:
        "p50_ms", "p95_ms", "p99_ms" in milliseconds, and "calls".
    """
    # Warm up with every length that is timed: a new length may trace a graph anew.
    for text in [*sorted(texts[:CALLS], key=len)[::10], *texts[:WARM_UP]]:
        predict([text])
    seconds = []
    for i in range(CALLS):
        text = texts[i % len(texts)]
        start = time.perf_counter()
        predict([text])
        seconds.append(time.perf_counter() - start)
    values = np.percentile(np.array(seconds) * 1000, PERCENTILES)
    return {
        **{f"p{p}_ms": float(value) for p, value in zip(PERCENTILES, values, strict=True)},
        "calls": CALLS,
    }
