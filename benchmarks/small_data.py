"""A few hundred labels and a pile of texts: what a teacher's knowledge is worth in a small file.

    python -m benchmarks.small_data --encoder FOLDER --freeze-layers 8 --table TABLE.csv

Labelled rows are a sample of the training rows of a data set; their other rows are the pile, whose
labels are not read. nusax-jav, which has 500 training rows, has another pile: 6,000 reviews of
smsa, without those that are close to a review of nusax-ind (nusax-jav is its translation), and
4,000 texts of --table. Teachers are a pretrained encoder, if one is given, with a linear part; else
the default. Finished runs are kept in --output, and the same command goes on where it was
interrupted. Prints a Markdown table: macro-F1 on validation and test rows, and size and latency of
the .tflite.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.exported import describe_file, measure_file
from benchmarks.quality import UNUSED, cut
from export.distillation.config import DistillConfig
from kerasclf import command, console
from kerasclf.config import TrainConfig
from kerasclf.data.registry import read_data_set
from kerasclf.data.tables import read_table
from kerasclf.errors import UserError
from kerasclf.files import load_table, replacing
from kerasclf.job.kept import train_once
from kerasclf.job.prepare import load_unchanged
from kerasclf.run.layout import RunLayout

CLOSE = 0.5
"""Cosine similarity, of TF-IDF of words, above which a review is close to another one."""
REVIEWS, POSTS = 6000, 4000


@dataclass
class SmallDataOptions(command.Options):
    """Train on few labelled rows, with and without a pile of unlabelled texts."""

    datasets: tuple[str, ...] = ("nusax-jav",)
    """Names of data sets (see `kerasclf datasets`)."""
    size: str = "500"
    """Labelled rows; a data set that has no more is used whole."""
    seeds: tuple[int, ...] = (0,)
    """Seeds of the labelled rows and of all training."""
    encoder: str | None = None
    """Pretrained encoder of the teacher."""
    freeze_layers: int = 0
    """Lowest layers of it that are not trained."""
    alpha: float = 0.7
    """Weight of the teacher in the student's loss."""
    table: Path | None = None
    """Table with a column text: a part of the pile of nusax-jav."""
    output: Path = Path("runs/small-data")
    """Folder of the runs."""


def measure(options: SmallDataOptions) -> dict[str, Any]:
    """Trains what is missing, and collects the figures."""
    results = []
    for data_set in options.datasets:
        for seed in options.seeds:
            for model, metrics in _train(options, data_set, seed).items():
                results.append(_summarize(data_set, seed, model, metrics))
    return {"results": results}


def _train(options: SmallDataOptions, data_set: str, seed: int) -> dict[str, dict[str, Any]]:
    """Metrics of all models, by name."""
    prepare = partial(cut, size=options.size, or_all=True)

    def train(model: str, **values: Any) -> dict[str, Any]:
        name = f"{data_set}-{options.size}-{model.replace(' ', '-')}-{seed}"
        config = TrainConfig(
            dataset=data_set, seed=seed, output=options.output, name=name, **values
        )
        found = train_once(config, prepare)
        assert found is not None
        return found

    models = {"linear part alone": train("linear", encoder="linear"), "default": train("default")}
    teacher = models["default"]
    if options.encoder:
        values = {"encoder": options.encoder, "freeze_layers": options.freeze_layers}
        teacher = models["teacher"] = train("teacher", **values)
    layout = RunLayout.open(teacher["run"])
    pile = _write_pile(options, data_set, layout)
    for name, path in (("student without the pile", None), ("student", pile)):
        how = DistillConfig(
            name=f"{data_set}-{options.size}-{name.replace(' ', '-')}-{seed}",
            alpha=options.alpha,
            seed=seed,
            output=options.output,
        )
        models[name] = _distill(layout, how, path)
    return models


def _distill(teacher: RunLayout, how: DistillConfig, pile: Path | None) -> dict[str, Any]:
    """Metrics of a student."""
    from export.distillation.pile import read_pile
    from export.distillation.students import prepare_student

    with console.quiet_imports():
        from export.distillation.student_run import train_student

    job = prepare_student([teacher], how)
    texts, description = read_pile(pile, "text", job, how.most_unlabelled) if pile else ([], None)
    return train_student(job, [teacher], how, texts, description)


def _write_pile(options: SmallDataOptions, data_set: str, layout: RunLayout) -> Path:
    """Writes the pile of a data set; returns its file."""
    if data_set == "nusax-jav":
        texts = _reviews_and_posts(options.table)
    else:
        split = load_table(layout.split)["split"]
        texts = load_unchanged(layout).rows["text"][(split == UNUSED).to_numpy()]
    path = options.output / "piles" / f"{layout.root.parent.name}.csv"
    with replacing(path) as beside:
        pd.DataFrame({"text": texts}).to_csv(beside, index=False)
    return path


def _reviews_and_posts(table: Path | None) -> pd.Series:
    """Reviews that are not close to a row of nusax-ind, and posts of a table."""
    if table is None:
        raise UserError("nusax-jav needs --table FILE with a column text for its pile")
    rows = read_data_set("smsa")[1]
    reviews = rows["text"][rows["split"] == "train"].drop_duplicates()
    own = read_data_set("nusax-ind")[1]["text"]
    vectors = TfidfVectorizer().fit_transform(pd.concat([reviews, own]))
    nearest = (vectors[: len(reviews)] @ vectors[len(reviews) :].T).max(axis=1).toarray().ravel()
    posts = read_table(table)["text"].drop_duplicates()
    sampled = [
        reviews[nearest <= CLOSE].sample(REVIEWS, random_state=0),
        posts.sample(min(POSTS, len(posts)), random_state=0),
    ]
    return pd.concat(sampled).sample(frac=1, random_state=0)


def _summarize(data_set: str, seed: int, model: str, metrics: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": data_set,
        "seed": seed,
        "model": model,
        "validation": metrics["validation"]["macro_f1"],
        "test": metrics["test"]["measures"]["macro_f1"],
        "over_baseline": metrics["baseline"]["macro_f1_difference"],
        "seconds": float(np.sum(list(metrics["seconds"].values()))),
        **measure_file(Path(metrics["run"])),
    }


def show(result: dict[str, Any]) -> None:
    """Prints the table."""
    print("| data | seed | model | validation | test | over TF-IDF | .tflite | p50 |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in result["results"]:
        test, gain = row["test"], row["over_baseline"]
        print(
            f"| {row['data']} | {row['seed']} | {row['model']} | {row['validation']:.3f} "
            f"| {test['value']:.3f} ({test['low']:.3f} to {test['high']:.3f}) "
            f"| {gain['difference']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f}) "
            f"| {describe_file(row)} |"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(
        command.parser(SmallDataOptions), measure, show, argv, "benchmarks.small_data"
    )


if __name__ == "__main__":
    sys.exit(main())
