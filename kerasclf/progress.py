"""`kerasclf progress`: one page over all runs of a name."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError


@dataclass
class ProgressOptions(command.Options):
    """Make one page over all runs of a name: their state, their metrics, and what to try next."""

    name: Annotated[str | None, tyro.conf.Positional] = None
    """Name of the runs (default: the name of the newest run)."""
    runs: Path = Path("runs")
    """Folder of all runs."""
    output: Path | None = None
    """Folder for progress.html and progress.md (default: RUNS/NAME)."""


def report_progress(options: ProgressOptions) -> dict[str, Any]:
    """Summarizes all runs of the name, and writes the pages."""
    from kerasclf.evaluation.run_overview import summarize_runs
    from kerasclf.files import check_writable
    from kerasclf.report.page import write_progress
    from kerasclf.run.status import find_runs

    folder = find_runs(options.runs, options.name)
    output = options.output or folder
    if output.exists() and not output.is_dir():
        raise UserError(f"--output {output} is a file; expected a folder")
    check_writable(output / "progress.html")
    result = summarize_runs(folder)
    return {**result, "pages": [str(page) for page in write_progress(output, result)]}


def show(result: dict[str, Any]) -> None:
    """Prints the Markdown page."""
    from html import unescape

    from kerasclf.report.rendering import render

    print(unescape(render("progress.md.j2", result=result)))
    print(f"written to {' and '.join(result['pages'])}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(ProgressOptions)
    return command.run(parser, report_progress, show, argv, "kerasclf progress")


if __name__ == "__main__":
    sys.exit(main())
