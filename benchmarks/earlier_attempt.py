"""The table of the earlier attempt, by its own protocol: all rows, and collected rows alone.

    python -m benchmarks.earlier_attempt --data final_dataset_with_source.csv

Half of the table was written by a language model (source "synthetic"); the other rows are
"manual". Models are trained on its published split (scikit-learn's train_test_split with
test_size=0.2, random_state=42, stratified; the rest halved), and in 5 folds of the manual rows
alone. Prints a Markdown table: macro-F1 on test rows by source, mean macro-F1 over the folds, and
size and latency of the .tflite, beside the published figures. Finished runs are kept in --output,
and the same command goes on where it was interrupted.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from benchmarks.exported import describe_file, measure_file
from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.data.tables import read_table
from kerasclf.errors import UserError
from kerasclf.files import replacing
from kerasclf.job.kept import train_once
from kerasclf.run.layout import RunLayout

MANUAL, FOLDS, SEED = "manual", 5, 42
PUBLISHED = {
    "SVM of words": (0.778, 0.486, 0.470),
    "logistic regression of words": (0.770, 0.472, None),
    "IndoBERT base": (0.761, 0.453, None),
    "XLM-R large": (0.803, 0.539, None),
}
"""Macro-F1 on all test rows, on manual test rows, and over folds, as its authors state it."""


@dataclass
class EarlierAttemptOptions(command.Options):
    """Train models on the table of the earlier attempt, by its own protocol."""

    data: Path | None = None
    """Its table, with the columns text, label and source."""
    encoder: str | None = None
    """Pretrained encoder to train as well, with a student of it."""
    mixtures: int = 100_000
    """Mixtures of training texts that the student learns from, too."""
    seed: int = 0
    """Seed of the training."""
    output: Path = Path("runs/earlier-attempt")
    """Folder of the runs."""


def measure(options: EarlierAttemptOptions) -> dict[str, Any]:
    """Trains what is missing, and collects the figures."""
    if options.data is None:
        raise UserError("found no --data FILE; expected the table of the earlier attempt")
    table = read_table(options.data)
    if missing := {"text", "label", "source"} - set(table.columns):
        raise UserError(f"{options.data} has no column {min(missing)!r}")
    models: dict[str, dict[str, Any]] = {
        "default": {},
        "default, measured on manual rows": {"measure_on": (MANUAL,)},
        "linear part alone": {"encoder": "linear"},
    }
    if options.encoder:
        models["pretrained encoder"] = {"encoder": options.encoder, "linear": "none"}
    rows = []
    for name, values in models.items():
        split, folds = _train(options, table, name, values)
        rows.append(_summarize(name, split, folds))
        if "encoder" in values and values["encoder"] != "linear":
            teachers = [split, *folds]
            students = [_distill(options, metrics) for metrics in teachers]
            rows.append(_summarize(f"student of {name}", students[0], students[1:]))
    return {"results": rows}


def _train(
    options: EarlierAttemptOptions, table: pd.DataFrame, model: str, values: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The metrics of a model on the published split, and on each fold of the manual rows."""
    metrics = []
    for name, split in _splits(table):
        path = options.output / "tables" / f"{name}.csv"
        with replacing(path) as beside:
            split.to_csv(beside, index=False)
        # All rows of a fold are manual: there, measuring on these changes nothing.
        in_fold = name != "split"
        own = {k: v for k, v in values.items() if not (in_fold and k == "measure_on")}
        stem = "default" if in_fold and own != values else model
        config = TrainConfig(
            data=path,
            split_column="part",
            source_column="source",
            label_order=tuple(sorted(set(table["label"]))),
            seed=options.seed,
            output=options.output,
            name=f"{stem.replace(' ', '-').replace(',', '')}-{name}",
            **own,
        )
        found = train_once(config)
        assert found is not None
        metrics.append(found)
    return metrics[0], metrics[1:]


def _splits(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yields names and rows, with a column part: the published split, and each fold."""
    train, rest = train_test_split(
        table.index, test_size=0.2, random_state=SEED, stratify=table["label"]
    )
    validation, test = train_test_split(
        rest, test_size=0.5, random_state=SEED, stratify=table["label"][rest]
    )
    yield "split", _with_parts(table, validation, test)
    manual = table[table["source"] == MANUAL].reset_index(drop=True)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for number, (train, test) in enumerate(folds.split(manual, manual["label"]), start=1):
        _, validation = train_test_split(
            train, test_size=0.1, random_state=SEED, stratify=manual["label"][train]
        )
        yield f"fold{number}", _with_parts(manual, validation, test)


def _with_parts(table: pd.DataFrame, validation: Any, test: Any) -> pd.DataFrame:
    parts = np.full(len(table), "train", dtype=object)
    parts[validation], parts[test] = "validation", "test"
    return table.assign(part=parts)


def _distill(options: EarlierAttemptOptions, teacher: dict[str, Any]) -> dict[str, Any]:
    """The metrics of a student of a run, which learns from mixtures of its texts, too."""
    from export.distillation.config import DistillConfig
    from export.distillation.student_run import train_student
    from export.distillation.students import prepare_student

    layout = RunLayout.open(Path(teacher["run"]))
    how = DistillConfig(
        name=f"student-{teacher['name']}",
        baseline=True,
        out_of_fold=3,
        mixtures=options.mixtures,
        seed=options.seed,
        output=options.output,
    )
    return train_student(prepare_student([layout], how), [layout], how, [])


def _summarize(name: str, split: dict[str, Any], folds: list[dict[str, Any]]) -> dict[str, Any]:
    """A row of the table; the file is that of the published split."""
    by_source = {
        source: entry["measures"]["macro_f1"]
        for source, entry in split["test"]["by_source"].items()
    }
    values = [entry["test"]["measures"]["macro_f1"]["value"] for entry in folds]
    return {
        "model": name,
        "all": split["test"]["measures"]["macro_f1"] if len(by_source) > 1 else None,
        "by_source": by_source,
        "folds": mean(values),
        **measure_file(Path(split["run"])),
    }


def show(result: dict[str, Any]) -> None:
    """Prints the table."""
    print("| model | all test rows | manual | synthetic | manual, 5 folds | .tflite | p50 |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in result["results"]:
        scores = [row["all"], row["by_source"].get(MANUAL), row["by_source"].get("synthetic")]
        cells = [
            f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})" if score else ""
            for score in scores
        ]
        file = describe_file(row)
        print(f"| {row['model']} | {' | '.join(cells)} | {row['folds']:.3f} | {file} |")
    for name, (everything, manual, folds) in PUBLISHED.items():
        of_folds = f"{folds:.3f}" if folds else ""
        print(f"| published: {name} | {everything:.3f} | {manual:.3f} | | {of_folds} | | |")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(EarlierAttemptOptions)
    return command.run(parser, measure, show, argv, "benchmarks.earlier_attempt")


if __name__ == "__main__":
    sys.exit(main())
