"""`kerasclf benchmark`: the cost of .tflite files on this device, each in a process of its own."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from export.litert.benchmark import benchmark_files
from kerasclf import command
from kerasclf.errors import UserError

COLUMNS = {
    "threads": "{threads}",
    "bytes": "{bytes:,}",
    "gzip": "{gzip_bytes:,}",
    "oldest runtime": "{oldest_runtime}",
    "load ms": "{load_ms:.2f}",
    "first ms": "{first_ms:.2f}",
    "p50 ms": "{p50_ms:.3f}",
    "p90 ms": "{p90_ms:.3f}",
    "p95 ms": "{p95_ms:.3f}",
    "p99 ms": "{p99_ms:.3f}",
    "texts/s": "{texts_per_second:.0f}",
    "MiB": "{memory:.0f}",
    "accuracy": "{accuracy}",
    "macro-F1": "{macro_f1}",
}


def make_parser() -> argparse.ArgumentParser:
    """The command line; argparse, since a device may lack what the other commands use."""
    parser = _Parser(
        prog="kerasclf benchmark",
        description="Benchmark .tflite files: latency, memory, size and accuracy.",
        epilog="examples:\n  kerasclf benchmark model.tflite --threads 1,2",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a .tflite")
    parser.add_argument("--threads", default="1", help="such as 1,2 (default: 1)")
    parser.add_argument(
        "--data", type=Path, help="CSV, TSV or JSONL with columns text and label (both optional)"
    )
    parser.add_argument("--output", type=Path, help="JSON file to write")
    parser.add_argument("--plot", type=Path, help="SVG file of size and latency to write")
    parser.add_argument("--baseline", type=Path, help="JSON file of a former benchmark")
    parser.add_argument(
        "--max-regression",
        default="10%",
        help="exit with 1 if a measurement exceeds --baseline by more (default: 10%%)",
    )
    parser.add_argument(
        "--adb", action="store_true", help="also run benchmark_model on an Android device"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def benchmark(options: argparse.Namespace) -> dict[str, Any]:
    """Benchmarks the given files."""
    return benchmark_files(
        options.files,
        threads=_parse_threads(options.threads),
        data=options.data,
        output=options.output,
        plot=options.plot,
        baseline=options.baseline,
        max_regression=_parse_share(options.max_regression),
        adb=options.adb,
    )


def _parse_threads(text: str) -> list[int]:
    try:
        threads = [int(part) for part in text.split(",")]
    except ValueError:
        threads = []
    if not threads or min(threads) < 1:
        raise UserError(f"--threads is {text!r}; expected whole numbers such as 1,2")
    return threads


def _parse_share(text: str) -> float:
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise UserError(f"--max-regression is {text!r}; expected a share such as 10%") from None


def show(result: dict[str, Any]) -> None:
    """Prints the measurements as a table."""
    table = [["file", *COLUMNS]]
    for row in result["measured"]:
        scores = {key: f"{row[key]:.4f}" if key in row else "-" for key in ("accuracy", "macro_f1")}
        oldest = row["oldest_runtime"] or "unknown"
        memory = row["peak_memory_bytes"] / 2**20
        values = row | scores | {"memory": memory, "oldest_runtime": oldest}
        cells = [form.format(**values) for form in COLUMNS.values()]
        table.append([Path(row["file"]).name, *cells])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for name, *cells in table:
        padded = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        print("  ".join([name.ljust(widths[0]), *padded]))
    device = result["measured"][0]["device"]
    print(f"{device['processor']}, LiteRT {device['ai_edge_litert']}, cores {device['affinity']}")
    for entry in result.get("android", []):
        print(f"{entry['file']} on the Android device:\n{entry['benchmark_model']}")
    for line in result.get("regressions", []):
        print(f"REGRESSION {line}")


class _Parser(argparse.ArgumentParser):
    """Reports an argument error in one line, as all commands do."""

    def error(self, message: str) -> NoReturn:
        """Raises instead of printing the usage."""
        raise UserError(f"{message}; see {self.prog} --help")


def _parse(arguments: Sequence[str], prog: str) -> Any:
    """Parses the arguments into a namespace that has `json`, as `command.run` needs."""
    return make_parser().parse_args(arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code, which is 1 also for a regression."""
    return command.run(
        _parse,
        benchmark,
        show,
        argv,
        "kerasclf benchmark",
        lambda result: not result.get("regressions"),
    )


if __name__ == "__main__":
    sys.exit(main())
