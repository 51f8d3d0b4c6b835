"""`kerasclf report`: draw the report of a finished run again."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command


@dataclass
class ReportOptions(command.Options):
    """Draw report.html and model_card.md of a finished run again, from its own files."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""


def draw_again(options: ReportOptions) -> dict[str, Any]:
    """Draws the report."""
    from kerasclf.manifest import update_manifest
    from kerasclf.report.draw import draw
    from kerasclf.run.layout import RunLayout

    layout = RunLayout.open(options.run)
    draw(layout)
    update_manifest(layout.root, [layout.report, layout.model_card])
    return {"files": [str(layout.report), str(layout.model_card)]}


def show(result: dict[str, Any]) -> None:
    """Prints the files."""
    print("\n".join(result["files"]))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(ReportOptions), draw_again, show, argv, "kerasclf report")


if __name__ == "__main__":
    sys.exit(main())
