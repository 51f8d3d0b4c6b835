"""`kerasclf distill`: a small student that learns from larger teachers."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.distillation.config import DistillConfig
from kerasclf import command, console


@dataclass
class DistillOptions(DistillConfig, command.Options):
    """Train a small student of the bytes encoder on the predictions of larger teachers (knowledge
    distillation)."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Runs of the same data that are the teachers; the student uses the split of the first one."""
    unlabelled: Path | None = None
    """Table of further texts, labelled by the teachers alone."""
    text_column: str = "text"
    """Column of these texts."""


def distill(options: DistillOptions) -> dict[str, Any]:
    """Trains the student of the given runs."""
    from export.distillation.students import prepare_student
    from export.distillation.transfer import read_texts
    from kerasclf.run.layout import RunLayout

    teachers = [RunLayout.open_network(run) for run in options.runs]
    options.check(len(teachers))
    job = prepare_student(teachers, options)
    texts = read_texts(options.unlabelled, options.text_column) if options.unlabelled else []
    # TensorFlow takes seconds to import: only after the data has been checked.
    with console.quiet_imports():
        from export.distillation.student_run import train_student

    return train_student(job, teachers, options, texts)


def show(metrics: dict[str, Any]) -> None:
    """Prints the metrics."""
    from kerasclf.report.terminal import print_summary

    print_summary(metrics)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(DistillOptions), distill, show, argv, "kerasclf distill")


if __name__ == "__main__":
    sys.exit(main())
