"""`kerasclf evaluate`: measure a finished run again, on its test rows or on new data."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.callable_module import make_callable
from kerasclf.table_options import TableOptions


@dataclass
class EvaluateOptions(TableOptions, command.Options):
    """Measure a finished run, on its own test rows or on new data."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    data: Path | None = None
    """Table of texts and labels (default: the test rows of the run)."""
    text_column: str = "text"
    """Column of the texts."""
    label_column: str = "label"
    """Column of the labels."""
    source_column: str | None = None
    """Column of where a row comes from; each source is measured."""
    slice_column: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """Column whose values are measured one by one; may be repeated."""
    seed: int | None = None
    """Seed of the bootstrap (default: the seed of the run)."""


def evaluate(options: EvaluateOptions) -> dict[str, Any]:
    """Measures the run on the rows that the options name."""
    from kerasclf.evaluation.run_evaluation import evaluate_run

    return evaluate_run(
        options.run,
        options.data,
        options.text_column,
        options.label_column,
        options.reading,
        options.seed,
        options.source_column,
        options.slice_column,
    )


def show(result: dict[str, Any]) -> None:
    """Prints the metrics."""
    from kerasclf.report.terminal import print_measures

    print_measures(result, f"{result['run']} on {result['data']}: {result['rows']} rows")
    if result["left_out"]:
        left_out = ", ".join(f"{count} {reason}" for reason, count in result["left_out"].items())
        print(f"left out: {left_out}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(EvaluateOptions), evaluate, show, argv, "kerasclf evaluate")


make_callable(__name__)

if __name__ == "__main__":
    sys.exit(main())
