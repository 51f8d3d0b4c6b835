"""`kerasclf suspects`: the labels of a run's data, the least trusted first, as CSV."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from kerasclf import command
from kerasclf.reviewing.summary import show_suspects


@dataclass
class SuspectsOptions(command.Options):
    """List the labels that models doubt which were not trained on them, as CSV or JSON lines."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run, or of all runs of a name for the newest."""
    output: Path | None = None
    """FILE.csv, which is safe to open in a spreadsheet, or FILE.jsonl; default: suspects.csv."""
    to: Literal["table", "label-studio", "argilla"] = "table"
    """What is written: the table, or the suspected rows as JSON for a tool, whose export kerasclf
    train --corrections reads."""
    folds: int = 5
    """Number of folds; each row is judged by models that were not trained on it."""
    folds_with: Literal["linear", "network"] = "linear"
    """What is trained on the folds: TF-IDF and a linear model, or the whole model of the run."""


def list_suspects(options: SuspectsOptions) -> dict[str, Any]:
    """Writes the list."""
    from kerasclf.reviewing.exchange import write_tasks
    from kerasclf.reviewing.quality import find_suspects, prepare_review, summarize_suspects
    from kerasclf.reviewing.tables import check_list, write_list
    from kerasclf.run.layout import RunLayout

    layout = RunLayout.open(options.run)
    as_table = options.to == "table"
    output = options.output or Path("suspects.csv" if as_table else "suspects.json")
    check_list(output, (".csv", ".jsonl") if as_table else (".json",))
    job = prepare_review(layout, options.folds)
    suspects = find_suspects(layout, job, options.folds, options.folds_with == "network")
    if as_table:
        write_list(output, suspects)
    else:
        write_tasks(output, suspects, options.to)
    return {"file": str(output), "splits": summarize_suspects(suspects)}


def show(result: dict[str, Any]) -> None:
    """Prints how many labels are suspected."""
    show_suspects(result["splits"])
    print(f"list       {result['file']}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(SuspectsOptions)
    return command.run(parser, list_suspects, show, argv, "kerasclf suspects")


if __name__ == "__main__":
    sys.exit(main())
