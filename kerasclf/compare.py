"""`kerasclf compare`: runs against each other on the same test rows."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError

SEED = 0


@dataclass
class CompareOptions(command.Options):
    """Compare finished runs on the test rows that they share."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Folders of runs, or of all runs of a name for the newest."""
    target: tuple[str, ...] = ()
    """Targets that the best run is named under; those of the first run if none are given."""
    output: Path | None = None
    """Folder for compare.html and compare.json."""


def compare(options: CompareOptions) -> dict[str, Any]:
    """Compares the runs, and writes the pages if a folder is given."""
    from kerasclf.evaluation.comparison import compare_pairs
    from kerasclf.evaluation.targets import parse_target
    from kerasclf.files import check_writable, write_json, write_text
    from kerasclf.job.finished import read_predictions, read_runs

    for target in options.target:
        parse_target(target)
    if options.output is not None:
        if options.output.exists() and not options.output.is_dir():
            raise UserError(f"--output {options.output} is a file; expected a folder")
        check_writable(options.output / "compare.html")
    runs = read_runs(options.runs)
    targets = options.target or tuple(entry["target"] for entry in runs[0].metrics["targets"])
    test = read_predictions(runs, "test")
    entries = [_describe(run, targets) for run in runs]
    entries.sort(key=lambda entry: -entry["measures"]["macro_f1"]["value"])
    differences = compare_pairs(test.classes, test.decided, len(test.labels), SEED)
    result = {
        "rows": len(test.classes),
        "labels": list(test.labels),
        "targets": list(targets),
        "runs": entries,
        "differences": differences,
        "best": _name_best(entries, differences["macro_f1"]),
    }
    if options.output is not None:
        from kerasclf.report.rendering import render

        page = render("compare.html.j2", result=result)
        write_json(options.output / "compare.json", result)
        write_text(options.output / "compare.html", page)
    return result


def _describe(run: Any, targets: tuple[str, ...]) -> dict[str, Any]:
    """Figures, cost and targets of a run."""
    import numpy as np

    from kerasclf.evaluation.bootstrap import measure_once
    from kerasclf.evaluation.targets import check_targets
    from kerasclf.job.finished import measure_cost, read_predictions

    metrics, validation = run.metrics, read_predictions([run], "validation")
    probabilities = np.maximum(validation.probabilities[run.name], np.finfo(np.float64).tiny)
    on_validation = measure_once(
        validation.classes,
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
        "baseline": metrics["baseline"],
        "targets": check_targets(targets, on_test | latency),
        "validation": on_validation,
        "validation_targets": check_targets(targets, on_validation | latency),
        "cost": measure_cost(run),
    }


def _name_best(entries: list[dict[str, Any]], differences: list[dict[str, Any]]) -> dict[str, Any]:
    """The run that meets most targets on validation rows, then the one best in macro-F1 there.

    A run that were picked by its test figures would have them too high. What the test rows say of
    the pick is told beside it.
    """

    def met(entry: dict[str, Any]) -> int:
        return sum(target["met"] for target in entry["validation_targets"])

    best = max(entries, key=lambda entry: (met(entry), entry["validation"]["macro_f1"]))
    against: dict[str, list[str]] = {"better": [], "worse": [], "undecided": []}
    turned = {"better": "worse", "worse": "better", "undecided": "undecided"}
    for pair in differences:
        if pair["first"] == best["run"]:
            against[pair["verdict"]].append(pair["second"])
        elif pair["second"] == best["run"]:
            against[turned[pair["verdict"]]].append(pair["first"])
    return {
        "run": best["run"],
        "validation_targets_met": met(best),
        "validation_macro_f1": best["validation"]["macro_f1"],
        "test_targets_met": sum(target["met"] for target in best["targets"]),
        "targets": len(best["targets"]),
        "better_than": against["better"],
        "worse_than": against["worse"],
        "undecided": against["undecided"],
    }


def show(result: dict[str, Any]) -> None:
    """Prints the comparison for people."""
    from kerasclf.report.comparison import print_comparison

    print_comparison(result)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(CompareOptions), compare, show, argv, "kerasclf compare")


if __name__ == "__main__":
    sys.exit(main())
