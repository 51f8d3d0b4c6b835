"""Open-loop load: requests arrive when they arrive, however slow the answers are."""

import math
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
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
"""What is sent, one a request, in turn."""


@dataclass(frozen=True)
class LoadReport:
    """How a server did under a load.

    Attributes:
        requests: number that was sent.
        errors: number of each kind.
        latency_ms: p50, p90, p95, p99 and max of the answered requests, from when each was due;
            None without answers.
        answered_per_second: over the whole time, to the last answer.
    """

    requests: int
    errors: dict[str, int]
    latency_ms: dict[str, float] | None
    answered_per_second: float


def run_load(client: Client, rate: float, seconds: float) -> LoadReport:
    """Sends one text a request at the times of a Poisson process.

    A latency counts from when its request was due, not from when a thread was free to send it:
    else a server that stalls would hide its own queue ("coordinated omission"). The times are the
    same in each run.

    Args:
        client: without retries, or their pauses count.
        rate: requests a second, on average.
        seconds: for how long requests are due.
    """
    dues = _draw_times(rate, seconds)
    # Connections are made before the clock runs.
    client.predict(TEXTS[:1])
    started = time.monotonic()

    def send(place: int, due: float) -> tuple[str | None, float]:
        error = None
        try:
            client.predict([TEXTS[place % len(TEXTS)]])
        except ServingError as failure:
            error = type(failure).__name__
        return error, time.monotonic() - started - due

    with ThreadPoolExecutor(THREADS) as pool:
        sent = []
        for place, due in enumerate(dues):
            time.sleep(max(0.0, started + due - time.monotonic()))
            sent.append(pool.submit(send, place, due))
        outcomes = [future.result() for future in sent]
    wall = time.monotonic() - started
    latencies = sorted(latency * 1000 for error, latency in outcomes if error is None)
    return LoadReport(
        requests=len(outcomes),
        errors=dict(Counter(error for error, _ in outcomes if error is not None)),
        latency_ms=_summarize(latencies) if latencies else None,
        answered_per_second=len(latencies) / wall,
    )


def _draw_times(rate: float, seconds: float) -> list[float]:
    """Seconds at which requests are due, ascending; at least one."""
    draw, due, dues = random.Random(0), 0.0, [0.0]
    while (due := due + draw.expovariate(rate)) < seconds:
        dues.append(due)
    return dues


def _summarize(latencies: list[float]) -> dict[str, float]:
    """Quantiles by nearest rank, of ascending values."""
    found = {
        f"p{quantile * 100:.0f}": latencies[math.ceil(quantile * len(latencies)) - 1]
        for quantile in QUANTILES
    }
    return found | {"max": latencies[-1]}
