"""Quality of the default against its network, its linear part, fastText and the baseline.

    python -m benchmarks.quality --datasets smsa nusax-jav --sizes 500 all --seeds 0 1 2

Every model is trained on the same rows and measured on the same test rows. Finished runs are kept
in --output, and the same command goes on where it was interrupted. Prints a Markdown table: means
over the seeds of macro-F1 on validation and test rows; of the difference to the baseline on test
rows, with its 95 % interval from a paired bootstrap, and how many runs were clearly better and
worse; of the seconds to train; and size and latency of the .tflite of the first seed. The baseline
is that of the report: the better on validation rows of an SVM and a logistic regression on TF-IDF.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from benchmarks.exported import describe_file, measure_file
from benchmarks.fasttext_model import train_fasttext
from benchmarks.pooling import summarize
from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.job.defaults import fit_to_data, with_choices_of
from kerasclf.job.job import Job
from kerasclf.job.kept import train_once
from kerasclf.job.prepare import prepare_job
from kerasclf.report.wording import describe_difference

ALL = "all"
MODELS: dict[str, dict[str, Any]] = {
    "default": {},
    "network": {"linear": "none"},
    "linear": {"encoder": "linear"},
}
"""Options of the models by name."""
FASTTEXT = "fasttext"
"""Needs pip install "kerasclf[benchmarks]"."""
UNUSED = "unused"
"""Split of the training rows that are not in a smaller training split."""


@dataclass
class QualityOptions(command.Options):
    """Train the default, its network and its linear part on several data sets, sizes and seeds."""

    datasets: tuple[str, ...] = ("chat-language",)
    """Names of data sets (see `kerasclf datasets`)."""
    sizes: tuple[str, ...] = ("500", "2000", ALL)
    """Numbers of training rows, or all."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds of the split, the training rows and the training."""
    models: tuple[str, ...] = tuple(MODELS)
    """default, network, linear and fasttext, or some of them."""
    output: Path = Path("runs/quality")
    """Folder of the runs."""


def measure(options: QualityOptions) -> dict[str, Any]:
    """Trains what is missing, and collects the figures."""
    if unknown := set(options.models) - {*MODELS, FASTTEXT}:
        raise UserError(f"--models has {min(unknown)!r}; expected {', '.join(MODELS)}, {FASTTEXT}")
    if wrong := [size for size in options.sizes if size != ALL and not size.isdecimal()]:
        raise UserError(f"--sizes has {wrong[0]!r}; expected numbers of rows, or {ALL}")
    rows = []
    for data_set in options.datasets:
        for size in options.sizes:
            jobs = partial(_train_all, options, data_set, size)
            for model in options.models:
                metrics = list(jobs(model))
                if metrics:
                    rows.append({"data": data_set, "rows": size, **_summarize(model, metrics)})
    return {"results": rows}


def _train_all(
    options: QualityOptions, data_set: str, size: str, model: str
) -> Iterator[dict[str, Any]]:
    """The metrics of a model for each seed; none if the data set has no more rows than `size`."""
    for seed in options.seeds:
        config = TrainConfig(
            dataset=data_set,
            seed=seed,
            output=options.output,
            name=f"{data_set}-{size}-{model}-{seed}",
            **MODELS.get(model, {}),
        )
        if model == FASTTEXT:
            job = cut(config, size)
            metrics = train_fasttext(job, options.output / str(config.name)) if job else None
        else:
            metrics = train_once(config, partial(cut, size=size))
        if metrics is None:
            return
        yield metrics


def cut(config: TrainConfig, size: str, or_all: bool = False) -> Job | None:
    """A job with fewer training rows, stratified.

    Args:
        config: of the run.
        size: number of training rows, or "all".
        or_all: what to return if there are not more rows: the job as it is, or None.
    """
    job = prepare_job(config)
    if size == ALL:
        return job
    split = job.split["split"].to_numpy(dtype=object, copy=True)
    rows = np.flatnonzero(split == "train")
    if len(rows) <= int(size):
        return job if or_all else None
    class_ids = job.examples.class_ids.to_numpy()[rows]
    _, unused = train_test_split(
        rows, train_size=int(size), stratify=class_ids, random_state=config.seed
    )
    split[unused] = UNUSED
    job.split["split"] = split
    asked = with_choices_of(config.resolved(), job.config)
    job.config = fit_to_data(asked, job.texts_and_class_ids("train")[0])
    return job


def _summarize(model: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    verdicts = [entry["baseline"]["macro_f1_difference"]["verdict"] for entry in metrics]
    run = Path(metrics[0]["run"])
    file = {"bytes": None, "p50_ms": None} if model == FASTTEXT else measure_file(run)
    found = summarize(metrics)
    return {
        **file,
        **found,
        "model": model,
        "test": mean(found["test"]),
        "better": verdicts.count("better"),
        "worse": verdicts.count("worse"),
        "runs": len(metrics),
        "seconds": mean(_seconds(entry["seconds"]) for entry in metrics),
    }


def _seconds(seconds: dict[str, float]) -> float:
    return seconds.get("linear", 0.0) + seconds.get("train", 0.0)


def show(result: dict[str, Any]) -> None:
    """Prints the table."""
    print(
        "| data | training rows | model | validation | test | test, baseline | difference (95 %) "
        "| better, worse, runs | .tflite | p50 | training |"
    )
    print("|" + " --- |" * 11)
    for row in result["results"]:
        print(
            f"| {row['data']} | {row['rows']} | {row['model']} | {row['validation']:.3f} "
            f"| {row['test']:.3f} | {row['baseline']:.3f} "
            f"| {describe_difference(row['over_baseline'], 3)} "
            f"| {row['better']}, {row['worse']}, {row['runs']} | {describe_file(row)} "
            f"| {row['seconds']:.0f} s |"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(QualityOptions), measure, show, argv, "benchmarks.quality")


if __name__ == "__main__":
    sys.exit(main())
