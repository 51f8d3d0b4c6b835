"""Benchmarks .tflite files, each in a process of its own, and compares with a former benchmark.

It needs only numpy and ai-edge-litert, so that it runs on a small board; matplotlib for the plot.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from export.litert.android import check_device, measure_on_device
from kerasclf.errors import UserError
from kerasclf.files import check_writable, load_record, save_record

LOWER_IS_BETTER = ("bytes", "gzip_bytes", "load_ms", "p50_ms", "p95_ms", "peak_memory_bytes")


def benchmark_files(
    files: Sequence[Path],
    threads: Sequence[int] = (1,),
    data: Path | None = None,
    output: Path | None = None,
    plot: Path | None = None,
    baseline: Path | None = None,
    max_regression: float = 0.1,
    adb: bool = False,
) -> dict[str, Any]:
    """Measures every file with every number of threads.

    Args:
        files: .tflite files of kerasclf.
        threads: numbers of threads of the interpreter.
        data: table (CSV, TSV, JSONL) with the columns text and label, both optional.
        output: JSON file to write the result to.
        plot: SVG file of size and latency to write.
        baseline: `output` of a former benchmark.
        max_regression: share by which a measurement may exceed the baseline.
        adb: whether to run benchmark_model on an Android device, too.

    Returns:
        "measured", a list of `export.litert.measure.measure`; with `adb` "android", a list of
        {"file", "benchmark_model"}; with a baseline "regressions", of `find_regressions`.

    Raises:
        UserError: an argument is wrong, or a file cannot be measured.
    """
    former = _read_baseline(baseline) if baseline else None
    for path in filter(None, (output, plot)):
        check_writable(path)
    for file in files:
        if not file.is_file():
            raise UserError(f"no file {file}; expected a .tflite of kerasclf tflite")
    if adb:
        check_device()
    rows = _read_rows(data) if data else []
    measured = [measure_apart(file, count, rows) for file in files for count in threads]
    result: dict[str, Any] = {"measured": measured}
    if adb:
        result["android"] = [measure_on_device(file) for file in files]
    if former is not None:
        result["regressions"] = find_regressions(measured, former, max_regression)
    if output:
        save_record(output, result)
    if plot:
        from export.litert.plot import plot_benchmark

        plot_benchmark(measured, plot)
    return result


def measure_apart(file: Path, threads: int, rows: list[dict[str, str]]) -> dict[str, Any]:
    """Runs `export.litert.measure.measure` in a process of its own.

    Raises:
        UserError: the file cannot be measured.
    """
    request = json.dumps({"file": str(file), "threads": threads, "rows": rows})
    done = subprocess.run(
        [sys.executable, "-m", "export.litert.measure"],
        input=request,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise UserError(f"cannot measure {file}: {lines[-1].removeprefix('ValueError: ')}")
    return json.loads(done.stdout)


def find_regressions(
    measured: list[dict[str, Any]], former: list[dict[str, Any]], limit: float
) -> list[str]:
    """Finds the measurements that got worse by more than the share `limit`, one line each.

    Files are matched by name, recipe and threads; a file that was not measured before is skipped.
    """
    former_rows = {(row["name"], row["recipe"], row["threads"]): row for row in former}
    lines = []
    for row in measured:
        old = former_rows.get((row["name"], row["recipe"], row["threads"]))
        if old is None:
            continue
        for key in LOWER_IS_BETTER:
            growth = row[key] / old[key] - 1
            if growth > limit:
                lines.append(f"{row['file']}: {key} {row[key]:g}, was {old[key]:g} ({growth:+.0%})")
    return lines


def _read_rows(path: Path) -> list[dict[str, str]]:
    """Reads text and, if present, label of each row of a table; pandas may not be installed."""
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
        raise UserError(f"--data {path} has no rows, or no column text")
    return [{key: str(row[key]) for key in ("text", "label") if key in row} for row in rows]


def _read_baseline(path: Path) -> list[dict[str, Any]]:
    former = load_record(path)
    if "measured" not in former:
        raise UserError(f"--baseline {path} was not written by kerasclf benchmark --output")
    return former["measured"]
