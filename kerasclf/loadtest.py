"""`kerasclf loadtest`: measure the latency of a served model under load."""

import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import tyro

from kerasclf import client, command
from kerasclf.client.load import run_load
from kerasclf.errors import UserError

DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)")


@dataclass
class LoadtestOptions(command.Options):
    """Send requests to a served model at a given rate; pass if latency is low and none fails."""

    url: Annotated[str, tyro.conf.Positional] = ""
    """http://HOST:8501/v1/models/NAME or grpc://HOST:8500/v1/models/NAME, optionally followed by
    /versions/N or /labels/LABEL."""
    rate: float = 10.0
    """Mean number of requests per second, each with one text."""
    seconds: float = 10.0
    """Duration in seconds."""
    p99: str = "100ms"
    """Highest 99th percentile of the latency that passes, such as 100ms or 0.5s."""


def load_server(options: LoadtestOptions) -> dict[str, Any]:
    """Runs the load test and compares its latency with the limit."""
    limit = _read_milliseconds(options.p99)
    for name, value in (("--rate", options.rate), ("--seconds", options.seconds)):
        if not 0 < value < float("inf"):
            raise UserError(f"found {name} {value}, expected a number above 0")
    with client.connect(options.url, retries=0) as model:
        report = run_load(model, options.rate, options.seconds)
    return {
        "url": options.url,
        "rate": options.rate,
        "seconds": options.seconds,
        **asdict(report),
        "p99_limit_ms": limit,
        "passed": report.meets(limit),
    }


def _read_milliseconds(text: str) -> float:
    match = DURATION.fullmatch(text)
    if match is None or float(match[1]) == 0:
        raise UserError(f"found --p99 {text!r}, expected a duration such as 100ms or 0.5s")
    return float(match[1]) * (1000 if match[2] == "s" else 1)


def show(result: dict[str, Any]) -> None:
    """Prints the result."""
    latency = result["latency_ms"] or {}
    times = "  ".join(f"{name} {value:.1f}" for name, value in latency.items()) or "no responses"
    errors = ", ".join(f"{count} {name}" for name, count in result["errors"].items()) or "none"
    print(f"{result['requests']} requests in {result['seconds']:g} s, errors: {errors}")
    print(f"latency in ms: {times}")
    verdict = "passed" if result["passed"] else "FAILED"
    print(f"{verdict}: expected a p99 of at most {result['p99_limit_ms']:g} ms and no errors")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(
        command.parser(LoadtestOptions),
        load_server,
        show,
        argv,
        "kerasclf loadtest",
        passed=lambda result: result["passed"],
    )


if __name__ == "__main__":
    sys.exit(main())
