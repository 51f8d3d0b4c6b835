"""What `import kerasclf` offers besides `load`: the commands as functions."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from kerasclf.config import TrainConfig
from kerasclf.console import quiet_imports
from kerasclf.errors import UserError
from kerasclf.files import replacing
from kerasclf.trained import Classifier
from kerasclf.yaml_options import convert, plain

if TYPE_CHECKING:
    import pandas as pd

COLUMN_OPTIONS = ("text_column", "label_column", "group_column", "split_column", "source_column")


def train(data: "pd.DataFrame | str | Path | None" = None, **options: Any) -> Classifier:
    """Trains, calibrates and measures a classifier, and writes its report, as `kerasclf train`.

    The same call goes on where it was interrupted.

    Args:
        data: table of texts and labels, a frame or the path of a file; None with `dataset`. A frame
            is written into the folder of the runs, so that the run can read it again.
        **options: those of `kerasclf train`, such as `text_column`, `label_column`, `encoder`,
            `seed`, `name` and `output`.

    Returns:
        The finished run.

    Raises:
        TypeError: there is no such option.
        UserError: the data or a value of an option cannot be used.
    """
    from kerasclf.job.kept import begin_or_resume

    job = begin_or_resume(make_config(data, options))
    with quiet_imports():
        from kerasclf.job.execute import run_job
    from kerasclf.exporting import keep_light_file

    classifier = Classifier.load(run_job(job)["run"])
    keep_light_file(classifier.layout)
    return classifier


def crossval(
    data: "pd.DataFrame | str | Path | None" = None, folds: int = 5, **options: Any
) -> dict[str, Any]:
    """Cross-validates a configuration on the training rows, as `kerasclf crossval`.

    Args:
        data: as in `train`.
        folds: number of folds.
        **options: those of `kerasclf train`.

    Returns:
        The content of crossval.json.
    """
    from kerasclf.job.folds import check_folds
    from kerasclf.job.prepare import prepare_job

    job = prepare_job(make_config(data, options))
    check_folds(job, folds)
    with quiet_imports():
        from kerasclf.job.cross_validation import cross_validate

    return asdict(cross_validate(job, folds))


def evaluate(run: "str | Path | Classifier", **options: Any) -> dict[str, Any]:
    """Measures a finished run, on its own test rows or on new data, as `kerasclf evaluate`.

    Args:
        run: the run, or its folder.
        **options: `data` and other arguments of `kerasclf.evaluation.run_evaluation.evaluate_run`.

    Returns:
        What `evaluate_run` returns; `["measures"]["macro_f1"]` has "value", "low" and "high".
    """
    from kerasclf.evaluation.run_evaluation import evaluate_run

    if options.get("data") is not None:
        options["data"] = Path(options["data"])
    return evaluate_run(_folder(run), **options)


def compare(*runs: "str | Path | Classifier") -> dict[str, Any]:
    """Compares runs on the test rows that they share, as `kerasclf compare`.

    Args:
        *runs: two runs or more, or their folders.
    """
    from kerasclf.evaluation.run_comparison import compare_runs

    return dict(compare_runs([_folder(run) for run in runs]))


def _folder(run: "str | Path | Classifier") -> Path:
    return run.run if isinstance(run, Classifier) else Path(run)


def make_config(
    data: "pd.DataFrame | str | Path | None", options: Mapping[str, Any], others: Iterable[str] = ()
) -> TrainConfig:
    """The configuration of a table and options.

    Args:
        data: the table; a frame is written into the folder of the runs.
        options: training options by name.
        others: further names of options, which a wrong name may have meant.

    Raises:
        TypeError: there is no such option; or the data is neither a frame nor a path.
        UserError: a value has another type.
    """
    known = {declared.name for declared in fields(TrainConfig)}
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, [*known, *others], 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"there is no option {name!r}{hint}")
    hints = get_type_hints(TrainConfig)
    values = {
        name: convert(name, hints[name], plain(value), "options") for name, value in options.items()
    }
    if data is None or isinstance(data, str | Path):
        return TrainConfig(**values if data is None else values | {"data": Path(data)})
    if not hasattr(data, "to_parquet"):
        raise TypeError(f"data is a {type(data).__name__}; expected a DataFrame or a path")
    config = TrainConfig(**values)
    wanted = [name for option in COLUMN_OPTIONS if (name := getattr(config, option))]
    wanted += [name for name in config.slice_column if name not in wanted]
    path = keep_frame(data, wanted, config.output, config.name or "table")
    return TrainConfig(**values | {"data": path, "name": config.name or "table"})


def keep_frame(frame: "pd.DataFrame", wanted: Sequence[str], output: Path, name: str) -> Path:
    """Writes columns of a frame, so that a run can read them again.

    Args:
        frame: the table.
        wanted: names of its columns.
        output: folder of the runs.
        name: of the table.

    Returns:
        The file.

    Raises:
        UserError: the frame has no such column.
    """
    import pandas as pd

    from kerasclf.data.cells import as_text

    absent = [name for name in wanted if name not in frame.columns]
    if absent:
        listed = ", ".join(map(str, frame.columns))
        raise UserError(f"the frame has no column {absent[0]!r}, only {listed}")
    text = pd.DataFrame({column: as_text(frame[column]) for column in wanted})
    digest = sha256(pd.util.hash_pandas_object(text, index=False).to_numpy().tobytes()).hexdigest()
    path = output / "tables" / f"{name}-{digest[:12]}.parquet"
    if not path.is_file():
        with replacing(path) as beside:
            text.to_parquet(beside, index=False)
    return path
