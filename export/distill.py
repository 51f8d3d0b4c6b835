"""`kerasclf distill`: a small student of the bytes encoder that learns from larger teachers."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError

TEMPERATURE, ALPHA = 2.0, 0.7


@dataclass
class DistillOptions(command.Options):
    """Train a small student of the bytes encoder from larger teachers."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Runs of the same data that teach; the student takes the first one's split."""
    name: str | None = None
    """Name of the student's run; that of the first teacher and -student if none is given."""
    baseline: bool = False
    """The TF-IDF baseline teaches, too."""
    weights: tuple[float, ...] = ()
    """One weight a teacher, the baseline's last; equal if none are given."""
    student: str = "medium"
    """small, medium, or a YAML FILE of training options."""
    out_of_fold: int = 0
    """Folds in which each training row is labelled by a teacher that did not learn from it."""
    temperature: float = TEMPERATURE
    """Both sides' logits are divided by it before they are compared."""
    alpha: float = ALPHA
    """Share of the teachers in the loss; the labels have the rest."""
    mixtures: int = 0
    """Further texts, put together of cuts of training rows, which only the teachers label."""
    unlabelled: Path | None = None
    """Table of further texts, which only the teachers label."""
    text_column: str = "text"
    """Column with those texts."""
    seed: int = 0
    """Seed of the student."""
    output: Path | None = None
    """Folder of all runs; that of the first teacher if none is given."""


def distill(options: DistillOptions) -> dict[str, Any]:
    """Asks the teachers and trains the student that the options name."""
    from dataclasses import replace
    from functools import cache, partial

    import numpy as np

    from export.students import read_size, student_config
    from kerasclf.data.tables import as_text, pick_column, read_table
    from kerasclf.files import read_json
    from kerasclf.job.folds import fold_folder, out_of_fold
    from kerasclf.job.prepare import prepare_job
    from kerasclf.layout import RunLayout

    layouts = [RunLayout.open_network(run) for run in options.runs]
    _check(options, len(layouts))
    labels = {tuple(read_json(layout.labels)) for layout in layouts}
    if len(labels) > 1:
        raise UserError("the runs know different labels; teachers must be of the same data")
    unlabelled: list[str] = []
    if options.unlabelled:
        table = read_table(options.unlabelled)
        column = pick_column(table, options.text_column, options.unlabelled, "--text-column")
        unlabelled = [text for text in as_text(column).tolist() if text.strip()]
    first = layouts[0]
    base = TrainConfig.from_yaml(first.config)

    with command.quiet_imports():
        from export import teachers
        from export.transfer import mix_texts
        from kerasclf.job.run import run_job
        from kerasclf.job.train_rows import train_run
        from kerasclf.training.distillation import Teaching

    name = options.name or f"{base.name}-student"
    config = student_config(base, name, first.root, options.seed, read_size(options.student))
    if options.output:
        config = replace(config, output=options.output)
    job = prepare_job(config)
    # Teachers do not depend on the student's seed: their folds are those of the first run.
    asked = replace(job, config=replace(job.config, seed=base.seed))
    rows = job.texts_and_classes("train")
    # Nor do mixtures.
    mixtures = mix_texts(rows[0], options.mixtures, base.seed) if options.mixtures else []
    # Each asked for alone, so that what is kept of one serves beside any other.
    transfer_sets = [texts for texts in (unlabelled, mixtures) if texts]
    # For each teacher: its name, how it is trained on other rows, the whole one, and the folders
    # where what is said of folds and of the whole is kept.
    asking = []
    for layout in layouts:
        learned = TrainConfig.from_yaml(layout.config)
        whole = partial(_load_teacher, layout, job)
        parts = fold_folder(layout.root.parent, learned), _soft_labels(layout)
        asking.append((str(layout.root), train_run(learned, job), whole, *parts))
    if options.baseline:
        train = teachers.train_baseline(job)
        parts = first.root.parent / "out_of_fold" / "baseline", _soft_labels(first) / "baseline"
        asking.append(("TF-IDF", train, partial(train, rows), *parts))
    opinions, further = [], []
    for teacher_name, train, whole, of_folds, of_whole in asking:
        ask = partial(teachers.say_once, teacher_name, cache(whole), cache=of_whole)
        if options.out_of_fold:
            said, _ = out_of_fold(teacher_name, train, asked, options.out_of_fold, of_folds)
            opinions.append(said)
        else:
            opinions.append(ask(rows[0]))
        if transfer_sets:
            further.append(np.concatenate([ask(texts) for texts in transfer_sets]))
    weights = list(options.weights) or [1.0] * len(opinions)
    teaching = Teaching(
        teachers.average(opinions, weights),
        options.temperature,
        options.alpha,
        [*unlabelled, *mixtures],
        teachers.average(further, weights) if further else None,
    )
    return run_job(job, teaching)


def _soft_labels(layout: Any) -> Path:
    """Where it is kept what a run says of texts: beside the run, which is whole and stays so."""
    return layout.root.parent / "soft_labels" / layout.root.name


def _load_teacher(layout: Any, job: Any) -> Any:
    """A finished run as a teacher."""
    from kerasclf.classifier import Classifier
    from kerasclf.job.train_rows import calibrated

    return calibrated(Classifier.load(layout.root).logits, job)


def _check(options: DistillOptions, runs: int) -> None:
    from export.students import SIZES

    if not runs:
        raise UserError("no run given; expected at least one teacher such as runs/NAME/1")
    if options.student not in SIZES and not Path(options.student).is_file():
        raise UserError(f"--student is {options.student!r}; expected small, medium or a YAML file")
    teachers = runs + options.baseline
    if options.weights and (len(options.weights) != teachers or min(options.weights) <= 0):
        raise UserError(f"--weights must be {teachers} positive numbers, one a teacher")
    if options.out_of_fold == 1 or options.out_of_fold < 0:
        raise UserError(f"--out-of-fold is {options.out_of_fold}; expected 0 or at least 2")
    if options.mixtures < 0:
        raise UserError(f"--mixtures is {options.mixtures}; expected 0 or more")
    if options.temperature <= 0 or not 0 <= options.alpha <= 1:
        raise UserError("--temperature must be over 0, and --alpha 0 to 1")


def show(metrics: dict[str, Any]) -> None:
    """Prints the student's outcome for people."""
    from kerasclf.report.summary import print_summary

    print_summary(metrics)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(DistillOptions), distill, show, argv, "kerasclf distill")


if __name__ == "__main__":
    sys.exit(main())
