"""Speed and memory of `kerasclf batch` by number of worker processes.

    python -m benchmarks.batch runs/id-hate --rows 1000000 --workers 1,2
    python -m benchmarks.batch runs/id-hate --rows 200000 --workers 1,2 --engine spark

Prints a line for each number of workers; Spark runs on this machine. CPU seconds are those of all
processes, and their start counts. Linux only: peak memory is the highest sum of the proportional
set sizes of the command and all its child processes, read from /proc five times a second.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import pyarrow.parquet as pq
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
    """Numbers of workers; speed is compared with that of the first number."""
    engine: Literal["local", "spark"] = "local"
    """Processes, or Spark."""


def benchmark(options: BenchmarkOptions) -> dict[str, Any]:
    """Measures the command on the given run."""
    if not all(number.isdecimal() and int(number) for number in options.workers.split(",")):
        raise UserError(f"--workers is {options.workers}; expected numbers such as 1,2")
    if options.rows < 1:
        raise UserError(f"--rows is {options.rows}; expected at least 1")
    layout = RunLayout.open(options.run)
    workers = [int(number) for number in options.workers.split(",")]
    return measure(layout, options.rows, workers, options.engine)


def measure(layout: RunLayout, rows: int, workers: Sequence[int], engine: str) -> dict[str, Any]:
    """Runs `kerasclf batch` once for each number of workers.

    Args:
        layout: a finished run.
        rows: number of rows to label, at least 1.
        workers: numbers of workers, at least one.
        engine: local or spark.

    Returns:
        "rows"; "bad_rows", how many of them cannot be labelled; and "results", one entry per number
        of workers.
    """
    results = []
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "rows.parquet"
        bad = make_table(layout, rows, table)
        for number in workers:
            results.append(_measure_once(layout, table, number, engine))
    for result in results:
        result["ratio"] = results[0]["seconds"] / result["seconds"]
        result["counts_agree"] = (
            result["rows_read"] == rows
            and result["rows_dead"] == bad
            and result["rows_written"] + bad == rows
        )
    return {"rows": rows, "bad_rows": bad, "results": results}


def make_table(layout: RunLayout, rows: int, path: Path) -> int:
    """Writes a table of test texts, drawn with replacement, and returns the number of bad rows."""
    predictions = load_table(layout.predictions, [("split", "==", "test")])
    texts = predictions["text"]
    drawn = texts[texts.str.strip() != ""].sample(rows, replace=True, random_state=SEED)
    frame = pd.DataFrame({"id": range(rows), "text": drawn.to_list()})
    bad = frame.sample(round(rows * BAD_SHARE), random_state=SEED).index
    frame.loc[bad, "text"] = ""
    frame.to_parquet(path)
    return len(bad)


def _measure_once(layout: RunLayout, table: Path, workers: int, engine: str) -> dict[str, Any]:
    output = table.parent / f"scored-{workers}"
    of_engine = {
        "local": [f"--workers={workers}"],
        "spark": ["--engine=spark", f"--master=local[{workers}]"],
    }
    start = time.perf_counter()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "export.batch", str(layout.root), "--json"),
            *(f"--input={table}", f"--output={output}", *of_engine[engine]),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    peak, used = 0, {}
    while process.poll() is None:
        tree = _find_tree(process.pid)
        peak = max(peak, sum(map(_read_memory, tree)))
        used |= {number: _read_cpu(number, used.get(number, 0.0)) for number in tree}
        time.sleep(0.2)
    stdout = process.communicate()[0]
    seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"kerasclf batch exited with {process.returncode}")
    files = [*table.parent.glob(f"{output.name}-*.parquet"), *output.glob("*=labelled/*.parquet")]
    return json.loads(stdout) | {
        "workers": workers,
        "seconds": seconds,
        "cpu_seconds": sum(used.values()),
        "peak_bytes": peak,
        "rows_written": sum(pq.read_metadata(path).num_rows for path in files),
    }


def _read_cpu(process: int, before: float) -> float:
    """CPU seconds of a process; those of `before` if it has ended."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return before


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
    print("workers  seconds   rows/s  ratio  rows/CPU s  peak memory  rows = written + dead")
    for row in result["results"]:
        print(
            f"{row['workers']:>7}  {row['seconds']:>7.1f}  "
            f"{result['rows'] / row['seconds']:>7,.0f}  {row['ratio']:>5.2f}  "
            f"{result['rows'] / row['cpu_seconds']:>10,.0f}  "
            f"{row['peak_bytes'] / 2**20:>7,.0f} MiB  "
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
