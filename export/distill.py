"""`kerasclf distill`: a small student that learns from larger teachers."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from export.distillation.config import DistillConfig
from kerasclf import command, console
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.train_options import train_config

if TYPE_CHECKING:
    from kerasclf.run.layout import RunLayout


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
    from export.distillation.pile import read_pile
    from export.distillation.students import prepare_student
    from kerasclf.report.wording import describe_pile
    from kerasclf.run.layout import RunLayout

    check_teacher(options)
    teachers = [RunLayout.open_network(run) for run in options.runs]
    options.check(1 if options.teacher else len(teachers))
    if options.teacher:
        teachers = [train_teacher(options)]
    job = prepare_student(teachers, options)
    texts: list[str] = []
    pile = None
    if options.unlabelled:
        place = options.unlabelled, options.text_column
        texts, pile = read_pile(*place, job, options.most_unlabelled)
        console.say(f"{options.unlabelled}: {describe_pile(pile)}")
    # TensorFlow takes seconds to import: only after the data has been checked.
    with console.quiet_imports():
        from export.distillation.student_run import train_student

    metrics = train_student(job, teachers, options, texts, pile)
    if options.teacher:
        metrics["file"] = export_student(Path(metrics["run"]), options.budget)
    return metrics


def check_teacher(options: DistillOptions) -> None:
    """Checks that options of the teacher come with a teacher, and that its pile can be read.

    Raises:
        UserError: they do not, or it cannot.
    """
    from export.ladder.budget import parse_budget
    from kerasclf.data.tables import check_table

    if options.teacher and options.runs:
        raise UserError("found runs together with --teacher; give only one of both")
    if not options.teacher and options.train:
        raise UserError(
            f"found {options.train[0]}, which is no option of kerasclf distill without --teacher; "
            "see kerasclf distill --help"
        )
    if options.budget:
        parse_budget(options.budget)
        if not options.teacher:
            raise UserError("--budget needs --teacher; for a run, use kerasclf compress")
    if options.unlabelled:
        check_table(options.unlabelled)


def train_teacher(options: DistillOptions) -> "RunLayout":
    """Trains the teacher, or finds or resumes its run."""
    from kerasclf.job.kept import train_once
    from kerasclf.run.layout import RunLayout

    given = command.parse(TeacherOptions, options.train, "kerasclf distill --teacher")
    config = replace(
        train_config(given), encoder=str(options.teacher), text_column=options.text_column
    )
    stem = config.resolved().name
    config = replace(
        config,
        seed=options.seed,
        output=options.output or config.output,
        name=f"{options.name or stem}-teacher",
    )
    options.name = options.name or f"{stem}-student"
    metrics = train_once(config)
    assert metrics is not None
    return RunLayout.open(metrics["run"])


def export_student(run: Path, budget: str | None) -> dict[str, Any]:
    """Exports and measures the .tflite of a student.

    Args:
        run: folder of its run.
        budget: limits, such as size<1MB; None for the recipe dynamic_int8.

    Returns:
        The result of `export_tflite` and "p50_ms", or that of `climb`.
    """
    from export.ladder.budget import parse_budget
    from export.program.output import default_output
    from kerasclf.files import load_record
    from kerasclf.run.layout import RunLayout

    layout = RunLayout.open(run)
    metrics = load_record(layout.metrics)
    if budget:
        with console.quiet_imports():
            from export.ladder.climb import climb

        output = default_output(metrics, "-compressed")
        if output.exists():
            return load_record(output / "ladder.json")
        return climb(layout, parse_budget(budget), output)
    with console.quiet_imports():
        from export.litert.benchmark import benchmark_files
        from export.litert.export_tflite import export_tflite

    result = export_tflite(run)
    measured = benchmark_files([Path(result["file"])])["measured"][0]
    return {**result, "p50_ms": measured["p50_ms"]}


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
