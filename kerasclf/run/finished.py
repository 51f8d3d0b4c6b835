"""Finished runs on disk: metrics, predictions and cost."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasclf.errors import UserError
from kerasclf.files import load_record, load_table
from kerasclf.run.layout import RunLayout
from kerasclf.run.members import read_members


@dataclass(frozen=True)
class FinishedRun:
    """A finished run.

    Attributes:
        name: NAME/N, or the folder if several runs share that name.
        layout: files of the run.
        metrics: content of metrics.json.
    """

    name: str
    layout: RunLayout
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Predictions:
    """Predictions of several runs for the same m rows of a split, in the same order.

    Attributes:
        labels: label names by class id.
        class_ids: int64 [m], true class ids.
        decided: int64 [m], decided class ids, by name of the run.
        probabilities: float64 [m, num_classes], calibrated, by name of the run.
    """

    labels: tuple[str, ...]
    class_ids: np.ndarray
    decided: dict[str, np.ndarray]
    probabilities: dict[str, np.ndarray]


def read_runs(folders: Iterable[Path]) -> list[FinishedRun]:
    """Reads at least two finished runs.

    Raises:
        UserError: there are fewer, one is given twice, or one is not finished.
    """
    layouts = [RunLayout.open(folder) for folder in folders]
    if len(layouts) < 2:
        raise UserError(f"found {len(layouts)} run(s); expected at least two such as runs/NAME/1")
    places = Counter(layout.root.resolve() for layout in layouts)
    twice, count = places.most_common(1)[0]
    if count > 1:
        raise UserError(f"the run {twice} is given {count} times; give each once")
    all_metrics = [load_record(layout.metrics) for layout in layouts]
    names = [f"{metrics['name']}/{metrics['number']}" for metrics in all_metrics]
    return [
        FinishedRun(name if names.count(name) == 1 else str(layout.root), layout, metrics)
        for name, layout, metrics in zip(names, layouts, all_metrics, strict=True)
    ]


def read_predictions(runs: list[FinishedRun], split: str) -> Predictions:
    """Reads the predictions of runs for a split.

    Args:
        runs: at least one run.
        split: validation or test.

    Raises:
        UserError: the runs have different labels, or different rows in the split.
    """
    first = runs[0]
    labels = tuple(first.metrics["labels"])
    frames = {}
    for run in runs:
        if set(run.metrics["labels"]) != set(labels):
            raise UserError(
                f"{first.name} and {run.name} have different labels; give runs of the same data"
            )
        frame = load_table(run.layout.predictions, filters=[("split", "==", split)])
        # Of equal texts with one label, only one is kept: this order is the same for all runs.
        frames[run.name] = frame.sort_values(["text", "label"], ignore_index=True)
    rows = frames[first.name][["text", "label"]]
    for name, frame in frames.items():
        if not frame[["text", "label"]].equals(rows):
            shared = len(frame[["text", "label"]].merge(rows))
            raise UserError(
                f"{first.name} has {len(rows)} {split} rows and {name} has {len(frame)}, of which "
                f"{shared} are the same; train one with --split {first.layout.root}, so that "
                "all of them are"
            )
    class_ids = rows["label"].map(labels.index).to_numpy(dtype=np.int64)
    columns = [f"p_{label}" for label in labels]
    decided = {
        name: frame["predicted_label"].map(labels.index).to_numpy(dtype=np.int64)
        for name, frame in frames.items()
    }
    probabilities = {
        name: frame[columns].to_numpy(dtype=np.float64) for name, frame in frames.items()
    }
    return Predictions(labels, class_ids, decided, probabilities)


def measure_cost(run: FinishedRun) -> dict[str, float]:
    """Collects the cost of a run.

    Returns:
        "size_bytes" of model and featurizer, "parameters", "p50_ms" and "p99_ms" of one text on the
        machine that trained it, "train_seconds" and "peak_memory_bytes" of the training. Size and
        time of an ensemble are the sums over its members.
    """
    if run.layout.ensemble.is_file():
        members = [RunLayout.open(folder) for folder in read_members(run.layout)[0]]
        costs = [measure_cost(FinishedRun("", m, load_record(m.metrics))) for m in members]
        size, train_seconds = (
            sum(cost[name] for cost in costs) for name in ("size_bytes", "train_seconds")
        )
    else:
        parts = [run.layout.model, *run.layout.featurizer.rglob("*")]
        size = sum(path.stat().st_size for path in parts if path.is_file())
        seconds = run.metrics["seconds"]
        train_seconds = seconds.get("train", 0.0) + seconds.get("linear", 0.0)
    return {
        "size_bytes": size,
        "parameters": run.metrics["training"]["parameters"],
        "p50_ms": run.metrics["latency"]["p50_ms"],
        "p99_ms": run.metrics["latency"]["p99_ms"],
        "train_seconds": train_seconds,
        "peak_memory_bytes": run.metrics["peak_memory_bytes"],
    }
