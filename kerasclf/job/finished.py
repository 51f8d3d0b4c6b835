"""Finished runs as they lie on disk: figures, predictions and cost, without TensorFlow."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasclf.errors import UserError
from kerasclf.files import read_json
from kerasclf.job.members import read_members
from kerasclf.layout import RunLayout


@dataclass(frozen=True)
class FinishedRun:
    """A finished run.

    Attributes:
        name: NAME/N, or the folder where two of the runs would share that.
        layout: its files.
        metrics: content of metrics.json.
    """

    name: str
    layout: RunLayout
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Predictions:
    """What runs said of the same m rows of a split, in the same order.

    Attributes:
        labels: label names by class id.
        classes: int64 [m], true class ids.
        decided: int64 [m], decided class ids, by run.
        probabilities: float64 [m, classes], calibrated, by run.
    """

    labels: tuple[str, ...]
    classes: np.ndarray
    decided: dict[str, np.ndarray]
    probabilities: dict[str, np.ndarray]


def read_runs(folders: Iterable[Path]) -> list[FinishedRun]:
    """Reads at least two finished runs.

    Raises:
        UserError: fewer, one twice, or one that is not finished.
    """
    layouts = [RunLayout.open(folder) for folder in folders]
    if len(layouts) < 2:
        raise UserError(f"found {len(layouts)} run(s), expected at least two such as runs/NAME/1")
    places = Counter(layout.root.resolve() for layout in layouts)
    twice, count = places.most_common(1)[0]
    if count > 1:
        raise UserError(f"the run {twice} is given {count} times; give each once")
    metrics = [read_json(layout.metrics) for layout in layouts]
    names = [f"{found['name']}/{found['number']}" for found in metrics]
    return [
        FinishedRun(name if names.count(name) == 1 else str(layout.root), layout, found)
        for name, layout, found in zip(names, layouts, metrics, strict=True)
    ]


def read_predictions(runs: list[FinishedRun], split: str) -> Predictions:
    """Reads what runs predicted for a split.

    Args:
        runs: at least one.
        split: validation or test.

    Raises:
        UserError: the runs know different labels, or the split's rows differ.
    """
    first = runs[0]
    labels = tuple(first.metrics["labels"])
    truth, decided, probabilities = None, {}, {}
    for run in runs:
        if set(run.metrics["labels"]) != set(labels):
            raise UserError(
                f"{first.name} and {run.name} know different labels; give runs of the same data"
            )
        frame = pd.read_parquet(run.layout.predictions, filters=[("split", "==", split)])
        # Of equal texts with one label, only one is kept: this order is the same for all runs.
        frame = frame.sort_values(["text", "label"], ignore_index=True)
        rows = frame[["text", "label"]]
        if truth is None:
            truth = rows
        elif not rows.equals(truth):
            shared = len(rows.merge(truth))
            raise UserError(
                f"{first.name} has {len(truth)} {split} rows and {run.name} {len(rows)}, of which "
                f"{shared} are the same; train one with --split {first.layout.root}, so that "
                "all of them are"
            )
        decided[run.name] = frame["predicted_label"].map(labels.index).to_numpy(dtype=np.int64)
        columns = [f"p_{label}" for label in labels]
        probabilities[run.name] = frame[columns].to_numpy(dtype=np.float64)
    classes = truth["label"].map(labels.index).to_numpy(dtype=np.int64)
    return Predictions(labels, classes, decided, probabilities)


def measure_cost(run: FinishedRun) -> dict[str, float]:
    """What a run costs.

    Returns:
        "size_bytes" of what predicts, "parameters", "p50_ms" and "p99_ms" of one text on the
        machine that trained it, "train_seconds" and "peak_memory_bytes" of the training. Size and
        time of an ensemble are those of its members.
    """
    if run.layout.ensemble.is_file():
        members = [RunLayout.open(folder) for folder in read_members(run.layout)[0]]
        costs = [measure_cost(FinishedRun("", of, read_json(of.metrics))) for of in members]
        size, train_seconds = (
            sum(cost[name] for cost in costs) for name in ("size_bytes", "train_seconds")
        )
    else:
        parts = [run.layout.model, *run.layout.featurizer.rglob("*")]
        size = sum(path.stat().st_size for path in parts if path.is_file())
        train_seconds = run.metrics["seconds"]["train"]
    return {
        "size_bytes": size,
        "parameters": run.metrics["training"]["parameters"],
        "p50_ms": run.metrics["latency"]["p50_ms"],
        "p99_ms": run.metrics["latency"]["p99_ms"],
        "train_seconds": train_seconds,
        "peak_memory_bytes": run.metrics["peak_memory_bytes"],
    }
