"""Speed and memory of `kerasclf batch` by the number of worker processes.

    python -m benchmarks.batch runs/id-hate --rows 200000 --workers 1,2

Prints a line for each number of workers. Linux only: memory is read from /proc, as the sum of the
proportional set sizes of the command and all processes under it, five times a second.
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
from kerasclf.layout import RunLayout

BAD_SHARE = 0.01
SEED = 0


@dataclass
class BenchmarkOptions(command.Options):
    """Measure kerasclf batch on texts of a run's own test rows."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    rows: int = 200_000
    """Rows of the table that is made."""
    workers: str = "1,2"
    """Numbers of local worker processes, the first one to compare with."""


def measure(options: BenchmarkOptions) -> dict[str, Any]:
    """Runs the command once for each number of workers."""
    if options.run is None:
        raise UserError("no run given; expected a folder such as runs/NAME/1")
    if not all(number.isdecimal() and int(number) for number in options.workers.split(",")):
        raise UserError(f"--workers is {options.workers}; expected numbers such as 1,2")
    if options.rows < 1:
        raise UserError(f"--rows is {options.rows}; expected at least 1")
    layout = RunLayout.open(options.run)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "rows.csv"
        bad = make_table(layout, options.rows, table)
        for number in options.workers.split(","):
            results.append(_measure_once(layout, table, int(number)))
    for result in results:
        result["ratio"] = result["rows_per_second"] / results[0]["rows_per_second"]
        result["counts_agree"] = (
            result["rows_read"] == options.rows
            and result["rows_dead"] == bad
            and result["rows_written"] + bad == options.rows
        )
    return {"rows": options.rows, "bad_rows": bad, "results": results}


def make_table(layout: RunLayout, rows: int, path: Path) -> int:
    """Writes a CSV of test texts drawn again and again, and returns how many rows are bad."""
    predictions = pd.read_parquet(layout.predictions)
    texts = predictions.loc[predictions["split"] == "test", "text"]
    drawn = texts[texts.str.strip() != ""].sample(rows, replace=True, random_state=SEED)
    frame = pd.DataFrame({"id": range(rows), "text": drawn.to_list()})
    bad = frame.sample(round(rows * BAD_SHARE), random_state=SEED).index
    frame.loc[bad, "text"] = ""
    frame.to_csv(path, index=False, lineterminator="\r\n")
    return len(bad)


def _measure_once(layout: RunLayout, table: Path, workers: int) -> dict[str, Any]:
    output = table.parent / f"scored-{workers}"
    started = subprocess.Popen(
        [
            *(sys.executable, "-m", "export.batch", str(layout.root), "--json"),
            *(f"--input={table}", f"--output={output}"),
            *(f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    peak = 0
    while started.poll() is None:
        peak = max(peak, sum(map(_read_memory, _find_tree(started.pid))))
        time.sleep(0.2)
    said = started.communicate()[0]
    if started.returncode:
        raise RuntimeError(f"kerasclf batch ended with {started.returncode}")
    written = sum(len(pd.read_parquet(path)) for path in table.parent.glob(f"{output.name}-*et"))
    return json.loads(said) | {"workers": workers, "peak_bytes": peak, "rows_written": written}


def _find_tree(root: int) -> list[int]:
    """Process ids of a process and all under it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name before it, in brackets, may hold anything.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    tree = [root]
    for process in tree:
        tree.extend(children.get(process, []))
    return tree


def _read_memory(process: int) -> int:
    """Proportional set size in bytes; 0 of a process that has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def show(result: dict[str, Any]) -> None:
    """Prints the table."""
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
        measure,
        show,
        argv,
        "python -m benchmarks.batch",
        lambda result: all(row["counts_agree"] for row in result["results"]),
    )


if __name__ == "__main__":
    sys.exit(main())
