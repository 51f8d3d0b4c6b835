"""An open-loop load test: requests are sent on schedule, however slow the responses are."""

import gc
import math
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from kerasclf.client.base import Client
from kerasclf.client.errors import ServingError

THREADS = 64
QUANTILES = (0.5, 0.9, 0.95, 0.99)
TEXTS = (
    "ok",
    "selamat pagi, apa kabar?",
    "I will be there at ten, see you then 😀",
    "semoga harimu menyenangkan dan sampai jumpa minggu depan di kantor yang baru ya",
    "a longer message that somebody wrote on the way home, with a comma or two, " * 3,
)
"""The texts to send, one per request, in turn."""


@dataclass(frozen=True)
class LoadReport:
    """The result of a load test.

    Attributes:
        requests: number of requests sent.
        errors: number of failed requests by class of the error.
        latency_ms: p50, p90, p95, p99 and max of the successful requests, from the time each was
            due; None if all failed.
        answered_per_second: successful requests per second until the last response.
    """

    requests: int
    errors: dict[str, int]
    latency_ms: dict[str, float] | None
    answered_per_second: float

    def meets(self, p99_ms: float) -> bool:
        """Whether no request failed and the 99th percentile is at most `p99_ms` milliseconds."""
        return not self.errors and self.latency_ms is not None and self.latency_ms["p99"] <= p99_ms


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keeps the garbage collector from pausing all threads: thousands of requests are objects."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def run_load(client: Client, rate: float, seconds: float) -> LoadReport:
    """Sends requests with one text each at the arrival times of a Poisson process.

    A latency is measured from the time a request was due, not from the time a thread was free to
    send it; otherwise a server that stalls would hide its queue ("coordinated omission"). The
    arrival times are the same in each run.

    Args:
        client: should have no retries, since their pauses count as latency.
        rate: mean number of requests per second.
        seconds: duration of the schedule.

    Raises:
        ServingError: the first request, which opens the connection and is not measured, failed.
    """
    dues = draw_due_times(rate, seconds)
    # The connection is opened before the clock starts.
    client.predict(TEXTS[:1])
    started = time.monotonic()

    def send(number: int, due: float) -> tuple[str | None, float]:
        error = None
        try:
            client.predict([TEXTS[number % len(TEXTS)]])
        except ServingError as failure:
            error = type(failure).__name__
        return error, time.monotonic() - started - due

    with _uncollected(), ThreadPoolExecutor(THREADS) as pool:
        futures = []
        for number, due in enumerate(dues):
            time.sleep(max(0.0, started + due - time.monotonic()))
            futures.append(pool.submit(send, number, due))
        outcomes = [future.result() for future in futures]
    wall = time.monotonic() - started
    latencies = sorted(latency * 1000 for error, latency in outcomes if error is None)
    return LoadReport(
        requests=len(outcomes),
        errors=dict(Counter(error for error, _ in outcomes if error is not None)),
        latency_ms=summarize_latencies(latencies) if latencies else None,
        answered_per_second=len(latencies) / wall,
    )


def draw_due_times(rate: float, seconds: float) -> list[float]:
    """Times in seconds at which requests are due: ascending, the first at 0."""
    draw, due, dues = random.Random(0), 0.0, [0.0]
    while (due := due + draw.expovariate(rate)) < seconds:
        dues.append(due)
    return dues


def summarize_latencies(latencies: list[float]) -> dict[str, float]:
    """Nearest-rank percentiles and the maximum of latencies in ascending order."""
    quantiles = {
        f"p{quantile * 100:.0f}": latencies[math.ceil(quantile * len(latencies)) - 1]
        for quantile in QUANTILES
    }
    return quantiles | {"max": latencies[-1]}
