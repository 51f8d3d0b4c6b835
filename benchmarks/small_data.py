"""A few hundred labels and a pile of texts: what a teacher's knowledge is worth in a small file.

    python -m benchmarks.small_data --encoder FOLDER --freeze-layers 8 --table TABLE.csv

Labelled rows are a sample of the training rows of a data set; their other rows are the pile, whose
labels are not read. nusax-jav, which has 500 training rows, has another pile: 6,000 reviews of
smsa, without those that are close to a review of nusax-ind (nusax-jav is its translation), and
4,000 texts of --table. Teachers are a pretrained encoder, if one is given, with a linear part; else
the default. Finished runs are kept in --output, and the same command goes on where it was
interrupted. Prints a Markdown table: macro-F1 on validation and test rows, size and latency of the
.tflite of the first seed, and seconds. Differences are means over the seeds on test rows, with 95 %
intervals of a paired bootstrap; what a student gains over one without the pile, the pile is worth.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.exported import describe_file, measure_file
from benchmarks.pooling import pool_differences, summarize
from benchmarks.quality import UNUSED, cut
from benchmarks.small_data_plot import plot_results
from export.distillation.config import DistillConfig
from kerasclf import command, console
from kerasclf.config import TrainConfig
from kerasclf.data.registry import read_data_set
from kerasclf.data.tables import read_table
from kerasclf.errors import UserError
from kerasclf.files import load_table, replacing
from kerasclf.job.kept import train_once
from kerasclf.job.prepare import load_unchanged
from kerasclf.report.wording import describe_difference
from kerasclf.run.layout import RunLayout

CLOSE = 0.5
"""Cosine similarity, of TF-IDF of words, above which a review is close to another one."""
REVIEWS, POSTS = 6000, 4000
STUDENT = "student"


@dataclass
class SmallDataOptions(command.Options):
    """Train on few labelled rows, with and without a pile of unlabelled texts."""

    datasets: tuple[str, ...] = ("nusax-jav",)
    """Names of data sets (see `kerasclf datasets`)."""
    sizes: tuple[str, ...] = ("500",)
    """Numbers of labelled rows; a data set that has no more is used whole."""
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
    plot: Path | None = None
    """PNG to write: quality against labelled rows, and against size."""


def measure(options: SmallDataOptions) -> dict[str, Any]:
    """Trains what is missing, and collects the figures."""
    results = []
    for data_set in options.datasets:
        for size in options.sizes:
            of_seeds = [_train(options, data_set, size, seed) for seed in options.seeds]
            results += _summarize(data_set, size, of_seeds)
    if options.plot:
        plot_results(results, options.plot)
    return {"results": results}


def _train(
    options: SmallDataOptions, data_set: str, size: str, seed: int
) -> dict[str, dict[str, Any]]:
    """Metrics of all models, by name."""
    prepare = partial(cut, size=size, or_all=True)

    def train(model: str, **values: Any) -> dict[str, Any]:
        name = f"{data_set}-{size}-{model.replace(' ', '-')}-{seed}"
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
    for name, path in (("student without the pile", None), (STUDENT, pile)):
        how = DistillConfig(
            name=f"{data_set}-{size}-{name.replace(' ', '-')}-{seed}",
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
    texts: list[str] = []
    description = None
    if pile:
        texts, description = read_pile(pile, "text", job, how.most_unlabelled, how.seed)
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


def _summarize(
    data_set: str, size: str, of_seeds: Sequence[dict[str, dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Figures of each model, from its metrics by name of the model, for each seed."""
    runs = {model: [metrics[model] for metrics in of_seeds] for model in of_seeds[0]}
    found = []
    for model, metrics in runs.items():
        found.append(
            {
                "data": data_set,
                "rows": size,
                "model": model,
                **summarize(metrics),
                # What its student gains, if any, is what the model is worth to it.
                "student_over": pool_differences(runs[STUDENT], metrics),
                "seconds": mean(sum(entry["seconds"].values()) for entry in metrics),
                **measure_file(Path(metrics[0]["run"])),
            }
        )
    return found


def show(result: dict[str, Any]) -> None:
    """Prints the table."""
    print(
        "| data | labels | model | validation | test, by seed | mean | over TF-IDF "
        "| student over it | .tflite | p50 | seconds |"
    )
    print("|" + " --- |" * 11)
    for row in result["results"]:
        by_seed = ", ".join(f"{value:.3f}" for value in row["test"])
        gain = describe_difference(row["over_baseline"], 3)
        over = "" if row["model"] == STUDENT else describe_difference(row["student_over"], 3)
        print(
            f"| {row['data']} | {row['rows']} | {row['model']} | {row['validation']:.3f} "
            f"| {by_seed} | {mean(row['test']):.3f} | {gain} "
            f"| {over} | {describe_file(row)} | {row['seconds']:.0f} |"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(
        command.parser(SmallDataOptions), measure, show, argv, "benchmarks.small_data"
    )


if __name__ == "__main__":
    sys.exit(main())
