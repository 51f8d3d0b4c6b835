"""`kerasclf benchmark`: what .tflite files cost on this device, each in a process of its own.

Needs numpy and ai-edge-litert only, so that it runs on a small board, too; matplotlib for --plot.
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from kerasclf import command
from kerasclf.errors import UserError
from kerasclf.files import check_writable, read_json, write_json

COLUMNS = {
    "threads": "{threads}",
    "bytes": "{bytes:,}",
    "gzip": "{gzip_bytes:,}",
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
LOWER_IS_BETTER = ("bytes", "gzip_bytes", "load_ms", "p50_ms", "p95_ms", "peak_memory_bytes")
ON_DEVICE = "/data/local/tmp"


def make_parser() -> argparse.ArgumentParser:
    """The command line; argparse, since a device may lack what the other commands use."""
    parser = _Parser(
        prog="kerasclf benchmark",
        description="Measure .tflite files: time, memory, size and accuracy.",
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
        "--max-regression", default="10%", help="against --baseline; more is exit 1 (default: 10%%)"
    )
    parser.add_argument(
        "--adb", action="store_true", help="also run benchmark_model on an Android device"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def benchmark(options: argparse.Namespace) -> dict[str, Any]:
    """Measures every file with every number of threads."""
    threads = _parse_threads(options.threads)
    limit = _parse_share(options.max_regression)
    baseline = read_json(options.baseline) if options.baseline else None
    if baseline is not None and "measured" not in baseline:
        raise UserError(
            f"--baseline {options.baseline} is no result of kerasclf benchmark --output"
        )
    for output in filter(None, (options.output, options.plot)):
        check_writable(output)
    for file in options.files:
        if not file.is_file():
            raise UserError(f"no file {file}; expected a .tflite of kerasclf tflite")
    if options.adb:
        _check_adb()
    rows = _read_rows(options.data) if options.data else []
    measured = [measure_apart(file, count, rows) for file in options.files for count in threads]
    result: dict[str, Any] = {"measured": measured}
    if options.adb:
        result["android"] = [_measure_android(file) for file in options.files]
    if baseline is not None:
        result["regressions"] = find_regressions(measured, baseline["measured"], limit)
    if options.output:
        write_json(options.output, result)
    if options.plot:
        from export.plot import plot_benchmark

        plot_benchmark(measured, options.plot)
    return result


def find_regressions(
    measured: list[dict[str, Any]], former: list[dict[str, Any]], limit: float
) -> list[str]:
    """Lines for each figure that got worse by more than the share `limit`.

    Files are matched by recipe, name and threads; a file that was not measured before is skipped.
    """
    known = {(row["name"], row["recipe"], row["threads"]): row for row in former}
    lines = []
    for row in measured:
        old = known.get((row["name"], row["recipe"], row["threads"]))
        for figure in LOWER_IS_BETTER if old else ():
            growth = row[figure] / old[figure] - 1
            if growth > limit:
                lines.append(
                    f"{row['file']}: {figure} {row[figure]:g}, was {old[figure]:g} ({growth:+.0%})"
                )
    return lines


def measure_apart(file: Path, threads: int, rows: list[dict[str, str]]) -> dict[str, Any]:
    """Measures a file in a process of its own; as `export.measure.measure`.

    Raises:
        UserError: the file cannot be measured.
    """
    request = json.dumps({"file": str(file), "threads": threads, "rows": rows})
    done = subprocess.run(
        [sys.executable, "-m", "export.measure"],
        input=request,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise UserError(f"cannot measure {file}: {lines[-1].removeprefix('ValueError: ')}")
    return json.loads(done.stdout)


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


def _read_rows(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(2**31 - 1)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() in (".jsonl", ".ndjson"):
                rows = [json.loads(line) for line in file if line.strip()]
            else:
                separator = "\t" if path.suffix.lower() == ".tsv" else ","
                rows = list(csv.DictReader(file, delimiter=separator))
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"cannot read --data {path}: {error}") from error
    if not rows or "text" not in rows[0]:
        raise UserError(f"--data {path} has no column text, or no rows")
    return [{key: str(row[key]) for key in ("text", "label") if key in row} for row in rows]


def _check_adb() -> None:
    if shutil.which("adb") is None:
        raise UserError("--adb needs the program adb (Android platform tools), which is not here")
    listed = subprocess.run(["adb", "devices"], capture_output=True, text=True, check=False)
    if "\tdevice" not in listed.stdout:
        raise UserError("--adb found no Android device; connect one and allow USB debugging")


def _measure_android(file: Path) -> dict[str, str]:
    """The official benchmark_model's own lines; it must lie on the device already."""
    target = f"{ON_DEVICE}/{file.name}"
    subprocess.run(["adb", "push", str(file), target], check=True, capture_output=True)
    program = f"{ON_DEVICE}/benchmark_model"
    done = subprocess.run(
        ["adb", "shell", program, f"--graph={target}", "--num_threads=1", "--enable_op_profiling"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(
            f"benchmark_model failed on the device: {done.stderr.strip()[:200]}; push the official "
            f"binary to {program} and make it executable"
        )
    return {"file": str(file), "benchmark_model": done.stdout}


def show(result: dict[str, Any]) -> None:
    """Prints the table for people."""
    table = [["file", *COLUMNS]]
    for row in result["measured"]:
        scores = {key: f"{row[key]:.4f}" if key in row else "-" for key in ("accuracy", "macro_f1")}
        values = row | scores | {"memory": row["peak_memory_bytes"] / 2**20}
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
    """Says a mistake in one line, as all commands do."""

    def error(self, message: str) -> NoReturn:
        """Raises instead of printing the usage."""
        raise UserError(f"{message}; see {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code: 1 also where a figure got worse."""
    return command.run(
        lambda arguments, _: make_parser().parse_args(arguments),
        benchmark,
        show,
        argv,
        "kerasclf benchmark",
        lambda result: not result.get("regressions"),
    )


if __name__ == "__main__":
    sys.exit(main())
