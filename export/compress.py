"""`kerasclf compress`: the cheapest export of a run within a budget."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.ladder.budget import EXAMPLE, parse_budget
from kerasclf import command, console

COLUMNS = {
    "size": ("MB", 1e-6),
    "gzip_size": ("gzip", 1e-6),
    "p50": ("p50 ms", 1.0),
    "p95": ("p95 ms", 1.0),
    "macro_f1": ("F1", 1.0),
    "macro_f1_drop": ("drop", 1.0),
    "recall_drop": ("recall drop", 1.0),
}
"""Headers of the terminal's table, and the factor of each value."""


@dataclass
class CompressOptions(command.Options):
    """Try the recipes of kerasclf tflite, then pruning, then smaller students of a run, until a
    file fits a budget."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    budget: str = EXAMPLE
    """Limits separated by commas: size, gzip_size and memory (B, KB, MB, KiB, MiB); p50, p90, p95
    and p99, the latency of one text on one thread (us, ms, s); macro_f1_drop and recall_drop (of
    the worst class), how much lower than in the run they are on validation rows (a share or %)."""
    output: Path | None = None
    """Folder to create, with model.tflite, ladder.json, ladder.html and pareto.svg; default:
    saved_models/NAME-N-compressed."""


def compress(options: CompressOptions) -> dict[str, Any]:
    """Finds the cheapest export of the given run within the budget."""
    from export.compression.prepare import check_tfmot
    from export.program.output import check_new, default_output
    from kerasclf.files import load_record
    from kerasclf.run.layout import RunLayout

    check_tfmot()
    limits = parse_budget(options.budget)
    layout = RunLayout.open_network(options.run)
    output = options.output or default_output(load_record(layout.metrics), "-compressed")
    check_new(output)
    # TensorFlow takes seconds to import: only after the options have been checked.
    with console.quiet_imports():
        from export.ladder.climb import climb

    return climb(layout, limits, output)


def show(result: dict[str, Any]) -> None:
    """Prints a table of the files that were tried, and the chosen one."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from export.ladder.attempts import describe_attempt
    from export.litert.final_score import describe_test

    console = Console(highlight=False, markup=False)
    table = Table("file", box=box.SIMPLE)
    for header, _ in COLUMNS.values():
        table.add_column(header, justify="right", no_wrap=True)
    for attempt in result["tried"]:
        cells = [
            f"{attempt[measure] * factor:.3f}" if measure in attempt else "-"
            for measure, (_, factor) in COLUMNS.items()
        ]
        table.add_row(attempt["name"], *cells)
    console.print(table)
    for attempt in result["tried"]:
        console.print(describe_attempt(attempt), soft_wrap=True)
    if result["chosen"]:
        line = f"chosen    {result['chosen']}: {describe_test(result['test'])}"
    else:
        names = "; ".join(result["closest"]) or "no file could be measured"
        line = f"no file fits {', '.join(result['budget'])}; closest: {names}"
    console.print(line, soft_wrap=True)
    console.print(f"folder    {result['folder']}  (open ladder.html)")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code: 1 if no file fits the budget."""
    return command.run(
        command.parser(CompressOptions),
        compress,
        show,
        argv,
        "kerasclf compress",
        lambda result: bool(result["chosen"]),
    )


if __name__ == "__main__":
    sys.exit(main())
