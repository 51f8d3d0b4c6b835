"""`kerasclf distill`: a small student that learns from larger teachers."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.distillation.config import DistillConfig
from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.train_options import train_config


@dataclass
class DistillOptions(DistillConfig, command.Options):
    """Train a small student of the bytes encoder on the predictions of larger teachers (knowledge
    distillation). The teachers are finished runs, or --teacher is trained first. The same command
    goes on where it was interrupted."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Runs of the same data that are the teachers; the student uses the split of the first one."""
    teacher: str | None = None
    """Pretrained encoder to train as the teacher, on what the options of kerasclf train say (--data
    FILE, --label-column and so on); the student is then exported and measured, too."""
    unlabelled: Path | None = None
    """Table of further texts, labelled by the teachers alone."""
    text_column: str = "text"
    """Column of these texts, and of those that --teacher learns from."""
    budget: str | None = None
    """With --teacher: limits of the exported file, as in kerasclf compress; default: the recipe
    dynamic_int8 without limits."""
    train: tyro.conf.Suppress[tuple[str, ...]] = ()


@dataclass
class TeacherOptions(TrainConfig, command.Options):
    """Options of the teacher: those of kerasclf train."""


def distill(options: DistillOptions) -> dict[str, Any]:
    """Trains the student of the given runs, or first the teacher and then its student."""
    from export.api import make_student

    if not options.teacher and options.train:
        raise UserError(
            f"found {options.train[0]}, which is no option of kerasclf distill without --teacher; "
            "see kerasclf distill --help"
        )
    teacher = None
    if options.teacher:
        given = command.parse(TeacherOptions, options.train, "kerasclf distill --teacher")
        teacher = replace(
            train_config(given), encoder=options.teacher, text_column=options.text_column
        )
    return make_student(
        list(options.runs),
        options,
        teacher,
        options.unlabelled,
        options.text_column,
        options.budget,
    )


def show(metrics: dict[str, Any]) -> None:
    """Prints the metrics."""
    from kerasclf.report.terminal import print_summary

    print_summary(metrics)
    if "p50_ms" in metrics.get("file", {}):
        file = metrics["file"]
        print(
            f"file      {file['file']}: {file['bytes']:,} bytes, p50 {file['p50_ms']:.2f} ms, "
            f"validation macro-F1 {file['macro_f1']:.4f} (Keras {file['keras_macro_f1']:.4f})"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(DistillOptions, rest="train")
    return command.run(parser, distill, show, argv, "kerasclf distill")


if __name__ == "__main__":
    sys.exit(main())
