"""Overview of all runs of a name: their state, the best one, and what to try next."""

from pathlib import Path
from typing import Any

from kerasclf.config import TrainConfig
from kerasclf.evaluation.advice import Facts, advise
from kerasclf.evaluation.targets import TargetResult, parse_target
from kerasclf.files import load_record
from kerasclf.run.finished import FinishedRun, read_predictions
from kerasclf.run.history import read_history
from kerasclf.run.layout import RunLayout
from kerasclf.run.status import describe_run
from kerasclf.statistics.metrics import class_scores, confusion_matrix


def summarize_runs(folder: Path) -> dict[str, Any]:
    """Summarizes all runs of a name.

    Args:
        folder: folder of all runs of the name.

    Returns:
        "name"; "runs" of `describe_run`; "seconds" and "peak_memory_bytes" used by all (the latter
        None if no run is done); "now", how the best run compares with baseline and targets (None
        if no run is done); and "next", lines of what to try.
    """
    runs = [describe_run(layout) for layout in RunLayout.all_of(folder)]
    done = [run for run in runs if run["state"] == "done"]
    result: dict[str, Any] = {
        "name": folder.name,
        "runs": runs,
        "seconds": sum(run["seconds"] for run in runs),
        "peak_memory_bytes": max((run["peak_memory_bytes"] for run in done), default=None),
        "now": None,
        "next": [
            f"run {run['number']} was interrupted after {run['epochs']} epochs: resume it with "
            f"kerasclf train --resume {run['folder']}, or delete it"
            for run in runs
            if run["state"] == "failed"
        ],
    }
    if done:
        # Chosen on validation rows, as every choice is.
        best = max(done, key=lambda run: run["validation_macro_f1"])
        result["now"], advice = _examine(RunLayout(Path(best["folder"])))
        result["next"] += advice
    return result


def _examine(layout: RunLayout) -> tuple[dict[str, Any], list[str]]:
    """A run against baseline and targets, and what to try next."""
    metrics = load_record(layout.metrics)
    recall = _validation_recall(FinishedRun(str(layout.number), layout, metrics))
    baseline, measures = metrics["baseline"]["measures"], metrics["test"]["measures"]
    now = {
        "number": layout.number,
        "gains": {
            name: {
                "baseline": baseline[name],
                "now": measures[name]["value"],
                "gain": measures[name]["value"] - baseline[name],
            }
            for name in ("accuracy", "macro_f1")
        },
        "verdict": metrics["baseline"],
        "targets": [_distance(target) for target in metrics["targets"]],
        "latency": metrics["latency"],
        "recall": recall,
    }
    facts = Facts(
        metrics=metrics,
        config=TrainConfig.from_yaml(layout.config),
        findings=load_record(layout.doctor),
        history=read_history(layout.history),
        recall=recall,
        targets=metrics["targets"],
        is_student=layout.soft_labels.is_file(),
    )
    return now, advise(facts)


def _validation_recall(run: FinishedRun) -> dict[str, float]:
    """Recall on validation rows by label."""
    validation = read_predictions([run], "validation")
    confusion = confusion_matrix(
        validation.class_ids, validation.decided[run.name], len(validation.labels)
    )
    return dict(zip(validation.labels, class_scores(confusion)["recall"].tolist(), strict=True))


def _distance(target: TargetResult) -> dict[str, Any]:
    """A target with its margin in points (or in ms) and in per cent of its bound."""
    name, _, bound = parse_target(target["target"])
    unit = "ms" if name.startswith("latency") else "points"
    distance = percent = None
    if target["margin"] is not None:
        distance = target["margin"] * (1 if unit == "ms" else 100)
        percent = 100 * target["margin"] / abs(bound) if bound else None
    return {**target, "unit": unit, "distance": distance, "percent": percent}
