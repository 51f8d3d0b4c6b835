"""Students of teachers, in one call: what `kerasclf distill` and `kerasclf.distill` do."""

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export.distillation.config import DistillConfig
from kerasclf import console
from kerasclf.api import keep_frame, make_config
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.trained import Classifier

if TYPE_CHECKING:
    import pandas as pd

    from kerasclf.run.layout import RunLayout


def distill(
    *runs: "str | Path | Classifier",
    teacher: str | None = None,
    data: "pd.DataFrame | str | Path | None" = None,
    unlabelled: "pd.DataFrame | str | Path | None" = None,
    text_column: str = "text",
    budget: str | None = None,
    **options: Any,
) -> Classifier:
    """Trains a small student on the predictions of larger teachers, as `kerasclf distill`.

    Args:
        *runs: finished runs of the same data that are the teachers; or else `teacher`.
        teacher: pretrained encoder to train as the teacher, on `data`; the student is then
            exported and measured, too.
        data: as in `kerasclf.train`; only with `teacher`.
        unlabelled: table of further texts, labelled by the teachers alone.
        text_column: column of the texts of `data` and `unlabelled`.
        budget: with `teacher`, limits of the exported file, such as "size<1MB".
        **options: those of `kerasclf distill`, such as `student` and `mixtures`; with `teacher`,
            also those of `kerasclf.train`.

    Returns:
        The student.

    Raises:
        TypeError: there is no such option.
        UserError: the data or a value of an option cannot be used.
    """
    known = {declared.name for declared in fields(DistillConfig)}
    config = DistillConfig(**{k: v for k, v in options.items() if k in known})
    rest = {name: value for name, value in options.items() if name not in known}
    training = None
    if teacher is not None:
        places = {"output": config.output} if config.output else {}
        training = make_config(
            data, rest | places | {"text_column": text_column, "encoder": teacher}, known
        )
    elif data is not None or rest:
        raise UserError("data and options of kerasclf.train need teacher=ENCODER")
    if unlabelled is not None and not isinstance(unlabelled, str | Path):
        folder = config.output or TrainConfig().output
        unlabelled = keep_frame(unlabelled, [text_column], folder, "unlabelled")
    folders = [run.run if isinstance(run, Classifier) else Path(run) for run in runs]
    pile = None if unlabelled is None else Path(unlabelled)
    metrics = make_student(folders, config, training, pile, text_column, budget)
    return Classifier.load(metrics["run"])


def make_student(
    runs: list[Path],
    config: DistillConfig,
    teacher: TrainConfig | None = None,
    unlabelled: Path | None = None,
    text_column: str = "text",
    budget: str | None = None,
) -> dict[str, Any]:
    """Trains the student of the given runs, or first the teacher and then its student.

    Args:
        runs: finished runs that are the teachers; none with `teacher`.
        config: how the student is distilled.
        teacher: configuration of the teacher to train.
        unlabelled: table of further texts.
        text_column: column of these texts.
        budget: with `teacher`, limits of the exported file.

    Returns:
        The content of metrics.json of the student; its folder under "run"; and, with `teacher`,
        the exported file under "file".

    Raises:
        UserError: an option is wrong, or the data cannot be read.
    """
    from export.distillation.pile import read_pile
    from export.distillation.students import labelling_seed, prepare_student
    from kerasclf.report.wording import describe_pile
    from kerasclf.run.layout import RunLayout

    _check(runs, teacher, unlabelled, budget)
    teachers = [RunLayout.open_network(run) for run in runs]
    config.check(1 if teacher else len(teachers))
    if teacher:
        stem = teacher.resolved().name
        teachers = [train_teacher(teacher, config)]
        config = replace(config, name=config.name or f"{stem}-student")
    job = prepare_student(teachers, config)
    texts: list[str] = []
    pile = None
    if unlabelled:
        seed = labelling_seed(teachers)
        texts, pile = read_pile(unlabelled, text_column, job, config.most_unlabelled, seed)
        console.say(f"{unlabelled}: {describe_pile(pile)}")
    # TensorFlow takes seconds to import: only after the data has been checked.
    with console.quiet_imports():
        from export.distillation.student_run import train_student
        from kerasclf.exporting import keep_light_file

    metrics = train_student(job, teachers, config, texts, pile)
    keep_light_file(RunLayout.open(metrics["run"]))
    if teacher:
        metrics["file"] = export_student(Path(metrics["run"]), budget)
    return metrics


def _check(
    runs: list[Path], teacher: TrainConfig | None, unlabelled: Path | None, budget: str | None
) -> None:
    from export.ladder.budget import parse_budget
    from kerasclf.data.tables import check_table

    if teacher and runs:
        raise UserError("found runs together with --teacher; give only one of both")
    if budget:
        parse_budget(budget)
        if not teacher:
            raise UserError("--budget needs --teacher; for a run, use kerasclf compress")
    if unlabelled:
        check_table(unlabelled)


def train_teacher(teacher: TrainConfig, config: DistillConfig) -> "RunLayout":
    """Trains the teacher, or finds or resumes its run."""
    from kerasclf.job.kept import train_once
    from kerasclf.run.layout import RunLayout

    teacher = replace(
        teacher,
        seed=config.seed,
        output=config.output or teacher.output,
        name=f"{config.name or teacher.resolved().name}-teacher",
    )
    metrics = train_once(teacher)
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
