"""State of all runs of a name: done, running or failed."""

from pathlib import Path
from typing import Any

from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.files import load_record
from kerasclf.run.history import read_history
from kerasclf.run.hold import is_held
from kerasclf.run.layout import RunLayout


def find_runs(folder: Path, name: str | None) -> Path:
    """Finds the folder of all runs of a name.

    Args:
        folder: folder of all runs.
        name: name of the runs; None for the name with the newest run.

    Raises:
        UserError: there are no such runs.
    """
    if not folder.is_dir():
        raise UserError(f"no folder {folder}; expected --runs FOLDER with runs such as NAME/1")
    named = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()}
    named = {key: path for key, path in named.items() if RunLayout.all_of(path)}
    if not named:
        raise UserError(f"{folder} has no runs; expected folders such as {folder}/NAME/1")
    if name is None:
        return max(named.values(), key=_last_change)
    if name not in named:
        raise UserError(f"no runs named {name!r} in {folder}; expected one of {', '.join(named)}")
    return named[name]


def _last_change(folder: Path) -> float:
    return max(layout.root.stat().st_mtime for layout in RunLayout.all_of(folder))


def describe_run(layout: RunLayout) -> dict[str, Any]:
    """Describes the state and the metrics of a run.

    Returns:
        "number"; "state" (done, running, failed); "encoder"; "epochs" completed and "of", their
        maximum; "seconds" and "peak_memory_bytes" used (the latter None unless done); "macro_f1"
        and "accuracy" on test rows (None unless done); "validation_macro_f1", the best so far or
        None; and "folder".
    """
    history = read_history(layout.history)
    scores = [row["val_macro_f1"] for row in history]
    config = TrainConfig.from_yaml(layout.config) if layout.config.is_file() else None
    status = {
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
        return status | {"state": "running" if is_held(layout) else "failed"}
    metrics = load_record(layout.metrics)
    measures = metrics["test"]["measures"]
    return status | {
        "seconds": sum(metrics["seconds"].values()),
        "peak_memory_bytes": metrics["peak_memory_bytes"],
        "macro_f1": measures["macro_f1"]["value"],
        "accuracy": measures["accuracy"]["value"],
        "validation_macro_f1": metrics["validation"]["macro_f1"],
    }
