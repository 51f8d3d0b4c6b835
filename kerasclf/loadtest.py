"""`kerasclf loadtest`: whether a served model keeps up with a load."""

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
    """Send requests at a steady rate, and pass if they are answered in time and without errors."""

    url: Annotated[str, tyro.conf.Positional] = ""
    """http://HOST:8501/v1/models/NAME or grpc://HOST:8500/v1/models/NAME."""
    rate: float = 10.0
    """Requests a second, on average; each holds one text."""
    seconds: float = 10.0
    """How long."""
    p99: str = "100ms"
    """Time within which 99 % of the requests must be answered, such as 100ms or 0.5s."""


def load_server(options: LoadtestOptions) -> dict[str, Any]:
    """Loads the server and compares with the limit."""
    limit = _read_milliseconds(options.p99)
    for name, value in (("--rate", options.rate), ("--seconds", options.seconds)):
        if not 0 < value < float("inf"):
            raise UserError(f"found {name} {value}, expected a number above 0")
    with client.connect(options.url, retries=0) as model:
        report = run_load(model, options.rate, options.seconds)
    latency = report.latency_ms
    return {
        "url": options.url,
        "rate": options.rate,
        "seconds": options.seconds,
        **asdict(report),
        "p99_limit_ms": limit,
        "passed": not report.errors and latency is not None and latency["p99"] <= limit,
    }


def _read_milliseconds(text: str) -> float:
    match = DURATION.fullmatch(text)
    if match is None or float(match[1]) == 0:
        raise UserError(f"found --p99 {text!r}, expected a duration such as 100ms or 0.5s")
    return float(match[1]) * (1000 if match[2] == "s" else 1)


def show(result: dict[str, Any]) -> None:
    """Prints the outcome for people."""
    latency = result["latency_ms"] or {}
    times = "  ".join(f"{name} {value:.1f}" for name, value in latency.items()) or "no answers"
    errors = ", ".join(f"{count} {name}" for name, count in result["errors"].items()) or "none"
    print(f"{result['requests']} requests in {result['seconds']:g} s, errors: {errors}")
    print(f"latency in ms: {times}")
    verdict = "passed" if result["passed"] else "FAILED"
    print(f"{verdict}: p99 must be at most {result['p99_limit_ms']:g} ms, without errors")


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
