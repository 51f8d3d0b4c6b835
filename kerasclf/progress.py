"""`kerasclf progress`: one page over all runs of a name, for the person who steers the work."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError


@dataclass
class ProgressOptions(command.Options):
    """Make one page over all runs of a name: where they stand, and what to try next."""

    name: Annotated[str | None, tyro.conf.Positional] = None
    """Name of the runs; that of the newest run if none is given."""
    runs: Path = Path("runs")
    """Folder of all runs."""
    output: Path | None = None
    """Folder for progress.html and progress.md; that of the name's runs if none is given."""


def report_progress(options: ProgressOptions) -> dict[str, Any]:
    """Reads all runs of the name, and writes the pages."""
    from kerasclf.files import check_writable, write_text
    from kerasclf.job.status import describe_run, find_runs
    from kerasclf.layout import RunLayout
    from kerasclf.report.rendering import render

    folder = find_runs(options.runs, options.name)
    output = options.output or folder
    if output.exists() and not output.is_dir():
        raise UserError(f"--output {output} is a file; expected a folder")
    check_writable(output / "progress.html")
    layouts = RunLayout.all_of(folder)
    runs = [describe_run(layout) for layout in layouts]
    done = [run for run in runs if run["state"] == "done"]
    memory = [run["peak_memory_bytes"] for run in done]
    result: dict[str, Any] = {
        "name": folder.name,
        "runs": runs,
        "seconds": sum(run["seconds"] for run in runs),
        "peak_memory_bytes": max(memory, default=None),
        "now": None,
        "next": [
            f"run {run['number']} was cut off after {run['epochs']} epochs: go on with "
            f"kerasclf train --resume {run['folder']}, or remove it"
            for run in runs
            if run["state"] == "failed"
        ],
    }
    if done:
        # Picked on validation rows, as every choice is.
        best = max(done, key=lambda run: run["validation_macro_f1"])
        now, advice = _examine(RunLayout(Path(best["folder"])))
        result["now"] = now
        result["next"] += advice
    result["pages"] = [str(output / name) for name in ("progress.html", "progress.md")]
    for page, suffix in zip(result["pages"], ("html", "md"), strict=True):
        write_text(Path(page), render(f"progress.{suffix}.j2", result=result))
    return result


def _examine(layout: Any) -> tuple[dict[str, Any], list[str]]:
    """The best run against baseline and targets, and what to try next."""
    from kerasclf.config import TrainConfig
    from kerasclf.evaluation.advice import Facts, advise
    from kerasclf.evaluation.metrics import class_scores, confusion_matrix
    from kerasclf.files import read_json
    from kerasclf.job.finished import FinishedRun, read_predictions
    from kerasclf.job.status import read_history

    metrics = read_json(layout.metrics)
    run = FinishedRun(str(layout.number), layout, metrics)
    validation = read_predictions([run], "validation")
    confusion = confusion_matrix(
        validation.classes, validation.decided[run.name], len(validation.labels)
    )
    recall = dict(zip(validation.labels, class_scores(confusion)["recall"].tolist(), strict=True))
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
        metrics,
        TrainConfig.from_yaml(layout.config),
        read_json(layout.doctor),
        read_history(layout),
        recall,
        metrics["targets"],
        layout.teaching.is_file(),
    )
    return now, advise(facts)


def _distance(target: dict[str, Any]) -> dict[str, Any]:
    """A target with its margin in points (or the measure's unit) and in per cent of its bound."""
    from kerasclf.evaluation.targets import parse_target

    name, _, bound = parse_target(target["target"])
    found = {**target, "unit": "ms" if name.startswith("latency") else "points"}
    if target["margin"] is None:
        return found | {"distance": None, "percent": None}
    return found | {
        "distance": target["margin"] * (1 if found["unit"] == "ms" else 100),
        "percent": 100 * target["margin"] / abs(bound) if bound else None,
    }


def show(result: dict[str, Any]) -> None:
    """Prints the page for people."""
    from html import unescape

    from kerasclf.report.rendering import render

    print(unescape(render("progress.md.j2", result=result)))
    print(f"written to {' and '.join(result['pages'])}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(ProgressOptions)
    return command.run(parser, report_progress, show, argv, "kerasclf progress")


if __name__ == "__main__":
    sys.exit(main())
