"""Where all runs of a name stand: done, running or failed."""

import csv
from pathlib import Path
from typing import Any

from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.files import read_json
from kerasclf.job.hold import is_held
from kerasclf.layout import RunLayout


def find_runs(folder: Path, name: str | None) -> Path:
    """The folder of all runs of a name; of the name with the newest run if none is given.

    Raises:
        UserError: there is none.
    """
    if not folder.is_dir():
        raise UserError(f"no folder {folder}; expected --runs with runs such as {folder}/NAME/1")
    named = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()}
    named = {key: path for key, path in named.items() if RunLayout.all_of(path)}
    if not named:
        raise UserError(f"{folder} has no runs; expected folders such as {folder}/NAME/1")
    if name is None:
        return max(named.values(), key=_last_change)
    if name not in named:
        raise UserError(f"no runs {name!r} in {folder}; expected one of {', '.join(named)}")
    return named[name]


def _last_change(folder: Path) -> float:
    return max(layout.root.stat().st_mtime for layout in RunLayout.all_of(folder))


def describe_run(layout: RunLayout) -> dict[str, Any]:
    """The state and the figures of a run.

    Returns:
        "number", "state" (done, running, failed), "encoder", "epochs" so far and "of", the
        "seconds" and "peak_memory_bytes" used (the latter None unless done), "macro_f1" and
        "accuracy" on test rows (None unless done), "validation_macro_f1" (the best so far, or
        None), and the "folder".
    """
    history = read_history(layout)
    scores = [row["val_macro_f1"] for row in history]
    config = TrainConfig.from_yaml(layout.config) if layout.config.is_file() else None
    found = {
        "number": layout.number,
        "state": "done",
        "encoder": config.encoder if config else None,
        "epochs": len(history),
        "of": config.epochs if config else None,
        "seconds": sum(row["seconds"] for row in history),
        "peak_memory_bytes": None,
        "macro_f1": None,
        "accuracy": None,
        "validation_macro_f1": max(scores, default=None),
        "folder": str(layout.root),
    }
    if layout.is_partial:
        return found | {"state": "running" if is_held(layout) else "failed"}
    metrics = read_json(layout.metrics)
    measures = metrics["test"]["measures"]
    return found | {
        "seconds": sum(metrics["seconds"].values()),
        "peak_memory_bytes": metrics["peak_memory_bytes"],
        "macro_f1": measures["macro_f1"]["value"],
        "accuracy": measures["accuracy"]["value"],
        "validation_macro_f1": metrics["validation"]["macro_f1"],
    }


def read_history(layout: RunLayout) -> list[dict[str, float]]:
    """A dict an epoch; none if no epoch is over, or nothing was trained."""
    if not layout.history.is_file():
        return []
    with layout.history.open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
