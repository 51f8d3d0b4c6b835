"""Comparison of finished runs on the same test rows."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasclf.evaluation.targets import check_targets, parse_target
from kerasclf.run.finished import FinishedRun, measure_cost, read_predictions, read_runs
from kerasclf.statistics.bootstrap import measure_once
from kerasclf.statistics.comparison import PairDifference, compare_pairs

SEED = 0


def compare_runs(folders: Iterable[Path], targets: Sequence[str] = ()) -> dict[str, Any]:
    """Compares finished runs on the test rows that they share.

    Args:
        folders: at least two folders of runs, or of all runs of a name for the newest.
        targets: such as macro_f1>=0.80; if empty, those of the first run.

    Returns:
        "rows", "labels", "targets", "runs" (by macro-F1), "differences" of `compare_pairs`, and
        "best", the run that is chosen under the targets.

    Raises:
        UserError: a target or a run is wrong, or the runs have other labels or test rows.
    """
    for target in targets:
        parse_target(target)
    runs = read_runs(folders)
    targets = targets or [entry["target"] for entry in runs[0].metrics["targets"]]
    test = read_predictions(runs, "test")
    entries = [_describe(run, targets) for run in runs]
    entries.sort(key=lambda entry: -entry["measures"]["macro_f1"]["value"])
    predicted = {entry["run"]: test.decided[entry["run"]] for entry in entries}
    differences = compare_pairs(test.class_ids, predicted, len(test.labels), SEED)
    return {
        "rows": len(test.class_ids),
        "labels": list(test.labels),
        "targets": list(targets),
        "runs": entries,
        "differences": differences,
        "best": _choose_best(entries, differences["macro_f1"]),
    }


def _describe(run: FinishedRun, targets: Sequence[str]) -> dict[str, Any]:
    """Metrics, cost and targets of a run."""
    metrics, validation = run.metrics, read_predictions([run], "validation")
    probabilities = np.maximum(validation.probabilities[run.name], np.finfo(np.float64).tiny)
    on_validation = measure_once(
        validation.class_ids,
        validation.decided[run.name],
        np.log(probabilities),
        metrics["ordered"],
    )
    on_test = {name: entry["value"] for name, entry in metrics["test"]["measures"].items()}
    latency = {f"latency_{name}": value for name, value in metrics["latency"].items()}
    return {
        "run": run.name,
        "folder": str(run.layout.root),
        "encoder": metrics["encoder"],
        "measures": metrics["test"]["measures"],
        "per_class": metrics["test"]["per_class"],
        "by_source": metrics["test"].get("by_source", {}),
        "baseline": metrics["baseline"],
        "targets": check_targets(targets, on_test | latency),
        "validation": on_validation,
        "validation_targets": check_targets(targets, on_validation | latency),
        "cost": measure_cost(run),
    }


def _choose_best(
    entries: list[dict[str, Any]], differences: list[PairDifference]
) -> dict[str, Any]:
    """The run that meets most targets on validation rows; of several, the one of best macro-F1.

    Choosing by test metrics would make the chosen run's test metrics too high. The test rows only
    say how the chosen run compares with the others.
    """

    def count_met(entry: dict[str, Any]) -> int:
        return sum(target["met"] for target in entry["validation_targets"])

    best = max(entries, key=lambda entry: (count_met(entry), entry["validation"]["macro_f1"]))
    others: dict[str, list[str]] = {"better": [], "worse": [], "undecided": []}
    reverse = {"better": "worse", "worse": "better", "undecided": "undecided"}
    for pair in differences:
        if pair["first"] == best["run"]:
            others[pair["verdict"]].append(pair["second"])
        elif pair["second"] == best["run"]:
            others[reverse[pair["verdict"]]].append(pair["first"])
    return {
        "run": best["run"],
        "validation_targets_met": count_met(best),
        "validation_macro_f1": best["validation"]["macro_f1"],
        "test_targets_met": sum(target["met"] for target in best["targets"]),
        "targets": len(best["targets"]),
        "better_than": others["better"],
        "worse_than": others["worse"],
        "undecided": others["undecided"],
    }
