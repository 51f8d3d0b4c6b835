"""Speed and memory of `kerasclf batch` by number of worker processes.

    python -m benchmarks.batch runs/id-hate --rows 200000 --workers 1,2

Prints a line for each number of workers. Linux only: peak memory is the highest sum of the
proportional set sizes of the command and all its child processes, read from /proc five times a
second.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import tyro

from kerasclf import command
from kerasclf.errors import UserError
from kerasclf.files import load_table
from kerasclf.run.layout import RunLayout

BAD_SHARE = 0.01
"""Share of the rows that are blank."""
SEED = 0


@dataclass
class BenchmarkOptions(command.Options):
    """Measure kerasclf batch on the test texts of a run."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    rows: int = 200_000
    """Number of rows to label."""
    workers: str = "1,2"
    """Numbers of local worker processes; speed is compared with that of the first number."""


def benchmark(options: BenchmarkOptions) -> dict[str, Any]:
    """Measures the command on the given run."""
    if not all(number.isdecimal() and int(number) for number in options.workers.split(",")):
        raise UserError(f"--workers is {options.workers}; expected numbers such as 1,2")
    if options.rows < 1:
        raise UserError(f"--rows is {options.rows}; expected at least 1")
    layout = RunLayout.open(options.run)
    return measure(layout, options.rows, [int(number) for number in options.workers.split(",")])


def measure(layout: RunLayout, rows: int, workers: Sequence[int]) -> dict[str, Any]:
    """Runs `kerasclf batch` once for each number of workers.

    Args:
        layout: a finished run.
        rows: number of rows to label, at least 1.
        workers: numbers of worker processes, at least one.

    Returns:
        "rows"; "bad_rows", how many of them cannot be labelled; and "results", one entry per number
        of workers.
    """
    results = []
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "rows.csv"
        bad = make_table(layout, rows, table)
        for number in workers:
            results.append(_measure_once(layout, table, number))
    for result in results:
        result["ratio"] = result["rows_per_second"] / results[0]["rows_per_second"]
        result["counts_agree"] = (
            result["rows_read"] == rows
            and result["rows_dead"] == bad
            and result["rows_written"] + bad == rows
        )
    return {"rows": rows, "bad_rows": bad, "results": results}


def make_table(layout: RunLayout, rows: int, path: Path) -> int:
    """Writes a CSV of test texts, drawn with replacement, and returns the number of bad rows."""
    predictions = load_table(layout.predictions, [("split", "==", "test")])
    texts = predictions["text"]
    drawn = texts[texts.str.strip() != ""].sample(rows, replace=True, random_state=SEED)
    frame = pd.DataFrame({"id": range(rows), "text": drawn.to_list()})
    bad = frame.sample(round(rows * BAD_SHARE), random_state=SEED).index
    frame.loc[bad, "text"] = ""
    frame.to_csv(path, index=False, lineterminator="\r\n")
    return len(bad)


def _measure_once(layout: RunLayout, table: Path, workers: int) -> dict[str, Any]:
    output = table.parent / f"scored-{workers}"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "export.batch", str(layout.root), "--json"),
            *(f"--input={table}", f"--output={output}"),
            f"--workers={workers}",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_read_memory, _find_tree(process.pid))))
        time.sleep(0.2)
    stdout = process.communicate()[0]
    if process.returncode:
        raise RuntimeError(f"kerasclf batch exited with {process.returncode}")
    written = sum(len(pd.read_parquet(path)) for path in table.parent.glob(f"{output.name}-*et"))
    return json.loads(stdout) | {"workers": workers, "peak_bytes": peak, "rows_written": written}


def _find_tree(root: int) -> list[int]:
    """Ids of a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The program's name before it, in brackets, may contain anything.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    tree = [root]
    for process in tree:
        tree.extend(children.get(process, []))
    return tree


def _read_memory(process: int) -> int:
    """Proportional set size in bytes; 0 if the process has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def show(result: dict[str, Any]) -> None:
    """Prints a line per number of workers."""
    print(f"{result['rows']:,} rows, {result['bad_rows']:,} of them bad")
    print("workers  seconds   rows/s  ratio  peak memory  rows = written + dead")
    for row in result["results"]:
        print(
            f"{row['workers']:>7}  {row['seconds']:>7.1f}  {row['rows_per_second']:>7,.0f}  "
            f"{row['ratio']:>5.2f}  {row['peak_bytes'] / 2**20:>7,.0f} MiB  "
            f"{row['rows_written']:,} + {row['rows_dead']:,}: "
            f"{'yes' if row['counts_agree'] else 'NO'}"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(
        command.parser(BenchmarkOptions),
        benchmark,
        show,
        argv,
        "python -m benchmarks.batch",
        lambda result: all(row["counts_agree"] for row in result["results"]),
    )


if __name__ == "__main__":
    sys.exit(main())
