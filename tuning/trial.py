"""One trial: a training run without its test, and what is kept of it."""

import math
import shutil
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from kerasclf.classifier import Classifier
from kerasclf.errors import UserError
from kerasclf.files import read_json, write_json, write_text
from kerasclf.job.prepare import Job
from kerasclf.job.run import train_core
from kerasclf.layout import PARTIAL, RunLayout
from kerasclf.models.build import build_model
from kerasclf.training.strategy import check_compiles, choose_strategy, prepare
from tuning.plan import RESULT, WORKER, Search


class TrialError(Exception):
    """A trial gave nothing that counts; the search goes on."""


def run_trial(
    search: Search, job: Job, name: str, values: dict[str, Any], worker: str
) -> dict[str, float]:
    """Runs a trial, goes on with one that was cut off, or reads what a finished one left.

    The trial's folder is `NAME.partial` as long as it runs. It keeps `config.yaml`, `history.csv`,
    `tensorboard/` and `result.json`.

    Args:
        search: the search.
        job: its job; the test rows are not read.
        name: of the trial.
        values: what the oracle chose.
        worker: who runs it.

    Returns:
        Figures of the best epoch, and those of the exported file where they are limited.

    Raises:
        TrialError: the trial failed, now or before.
    """
    config = search.trial_config(values)
    job = replace(job, config=config, seconds={})
    layout = RunLayout(search.trial_folder / f"{name}{PARTIAL}")
    for folder in (layout.root, layout.whole.root):
        # A trial of another search that was here before.
        if folder.is_dir() and not _is_of(folder, config.to_yaml()):
            shutil.rmtree(folder)
    if not layout.whole.root.is_dir():
        layout.root.mkdir(parents=True, exist_ok=True)
        write_text(layout.root / WORKER, worker)
        write_text(layout.config, config.to_yaml())
        if not (layout.root / RESULT).is_file():
            write_json(layout.root / RESULT, _try(search, job, layout))
        (layout.root / WORKER).unlink()
        layout.finish()
    result = read_json(layout.whole.root / RESULT)
    if "failed" in result:
        raise TrialError(result["failed"])
    return result


def _is_of(folder: Path, config: str) -> bool:
    path = RunLayout(folder).config
    return path.is_file() and path.read_text(encoding="utf-8") == config


def _try(search: Search, job: Job, layout: RunLayout) -> dict[str, Any]:
    """The trial's figures, or why there are none under "failed"."""
    try:
        return _run(search, job, layout)
    except (TrialError, UserError) as error:
        return {"failed": str(error)}
    except Exception as error:
        traceback.print_exc()
        first = next(iter(str(error).splitlines()), "")
        return {"failed": f"{type(error).__name__}: {first}"}


def _run(search: Search, job: Job, layout: RunLayout) -> dict[str, Any]:
    # What the last trial left in Keras' global state grows, and changes the names of layers.
    keras.utils.clear_session()
    prepare(job.config.seed, job.config.mixed_precision)
    strategy = choose_strategy()
    check_compiles(strategy, job.config.jit_compile)
    with strategy.scope():
        featurizer, core = build_model(job.config, len(job.examples.labels))
        history = train_core(job, featurizer, core, layout)
    result = summarize(history)
    if search.max_size is None and search.max_latency is None:
        return result
    from tuning.cost import measure_file

    prepare(job.config.seed, mixed_precision=False)
    featurizer, core = build_model(job.config, len(job.examples.labels))
    core.load_weights(layout.best_weights)
    result |= measure_file(Classifier(featurizer, core, job.examples.labels), job)
    return {**result, **_judge(search, result)}


def summarize(history: list[dict[str, Any]]) -> dict[str, float]:
    """Figures of the epoch whose weights a run keeps.

    Raises:
        TrialError: a loss is no number.
    """
    for row in history:
        if not (math.isfinite(row["loss"]) and math.isfinite(row["val_loss"])):
            raise TrialError(f"the loss is {row['loss']} in epoch {row['epoch']}")
    best = max(history, key=lambda row: row["val_macro_f1"])
    figures = {key: best[key] for key in ("val_macro_f1", "val_accuracy", "val_loss")}
    seconds = sum(row["seconds"] for row in history)
    return {**figures, "best_epoch": best["epoch"], "epochs": len(history), "seconds": seconds}


def _judge(search: Search, result: dict[str, Any]) -> dict[str, str]:
    if search.max_size is not None and result["bytes"] > search.max_size:
        return {"failed": f"{result['bytes']:,} bytes are over --max-size"}
    if search.max_latency is not None and result["p95_ms"] > search.max_latency:
        return {"failed": f"{result['p95_ms']:.3f} ms are over --max-latency"}
    return {}
