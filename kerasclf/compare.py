"""`kerasclf compare`: finished runs on the same test rows."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.callable_module import make_callable
from kerasclf.errors import UserError


@dataclass
class CompareOptions(command.Options):
    """Compare finished runs on the test rows that they share."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Folders of runs, or of all runs of a name for the newest."""
    target: tuple[str, ...] = ()
    """Targets under which the best run is chosen (default: those of the first run)."""
    output: Path | None = None
    """Folder for compare.html and compare.json."""


def compare(options: CompareOptions) -> dict[str, Any]:
    """Compares the runs, and writes the page if a folder is given."""
    from kerasclf.evaluation.run_comparison import compare_runs
    from kerasclf.files import check_writable

    if options.output is not None:
        if options.output.exists() and not options.output.is_dir():
            raise UserError(f"--output {options.output} is a file; expected a folder")
        check_writable(options.output / "compare.html")
    result = compare_runs(options.runs, options.target)
    if options.output is not None:
        from kerasclf.report.page import write_comparison

        write_comparison(options.output, result)
    return result


def show(result: dict[str, Any]) -> None:
    """Prints the comparison."""
    from kerasclf.report.terminal import print_comparison

    print_comparison(result)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(CompareOptions), compare, show, argv, "kerasclf compare")


make_callable(__name__)

if __name__ == "__main__":
    sys.exit(main())
