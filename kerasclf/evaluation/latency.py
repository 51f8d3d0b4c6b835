"""How long one text takes, from the string to the label."""

import time
from collections.abc import Callable

import numpy as np

CALLS = 300
WARM_UP = 20


def measure_latency(predict: Callable[[list[str]], object], texts: list[str]) -> dict[str, float]:
    """Times single predictions, tokenizing included.

    Args:
        predict: takes a list of one text.
        texts: texts to take in turn; never test rows.

    Returns:
        "p50_ms", "p95_ms", "p99_ms" in milliseconds, and "calls".
    """
    # Every length that will be met is met before the clock starts.
    for text in [*sorted(texts[:CALLS], key=len)[::10], *texts[:WARM_UP]]:
        predict([text])
    seconds = []
    for i in range(CALLS):
        text = texts[i % len(texts)]
        start = time.perf_counter()
        predict([text])
        seconds.append(time.perf_counter() - start)
    p50, p95, p99 = np.percentile(np.array(seconds) * 1000, [50, 95, 99])
    return {"p50_ms": float(p50), "p95_ms": float(p95), "p99_ms": float(p99), "calls": CALLS}
