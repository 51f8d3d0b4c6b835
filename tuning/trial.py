"""One trial: a training run without its test."""

import math
import shutil
import traceback
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import keras

from kerasclf.classifier import KerasClassifier
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.files import is_full_disk, load_record, save_record, write_text
from kerasclf.job.defaults import fit_to_data
from kerasclf.job.execute import train_core, train_linear_part
from kerasclf.job.job import Job
from kerasclf.job.parts import combine
from kerasclf.run.history import Epoch
from kerasclf.run.layout import PARTIAL, RunLayout
from kerasclf.training.callbacks import score
from kerasclf.training.losses import SparseFocalLoss, make_loss
from kerasclf.training.network import build_network, load_best
from tuning.plan import RESULT, WORKER, SearchPlan


class TrialError(Exception):
    """A trial has no valid result; the search continues."""


def run_trial(
    plan: SearchPlan, job: Job, name: str, values: dict[str, Any], worker: str
) -> dict[str, float]:
    """Runs a trial, resumes an interrupted one, or reads the result of a finished one.

    The trial's folder is `NAME.partial` while it is running. Afterwards it contains `config.yaml`,
    `history.csv`, `tensorboard/` and `result.json`.

    Args:
        plan: the search.
        job: its job; the test rows are not read.
        name: the trial's id.
        values: the oracle's choice.
        worker: name of the worker that runs the trial.

    Returns:
        Metrics of the best epoch, and size and latency of the exported file if they are limited.

    Raises:
        TrialError: the trial failed, now or earlier.
    """
    config = plan.trial_config(values)
    config = replace(config, max_bytes=config.max_bytes or job.config.max_bytes)
    config = fit_to_data(config, job.texts_and_class_ids("train")[0])
    job = replace(job, config=config, seconds={})
    layout = RunLayout(plan.trial_folder / f"{name}{PARTIAL}")
    for folder in (layout.root, layout.whole.root):
        # A trial of a former search in this folder.
        if folder.is_dir() and not _has_config(folder, config):
            shutil.rmtree(folder)
    if not layout.whole.root.is_dir():
        layout.root.mkdir(parents=True, exist_ok=True)
        write_text(layout.root / WORKER, worker)
        write_text(layout.config, config.to_yaml())
        if not (layout.root / RESULT).is_file():
            save_record(layout.root / RESULT, _try(plan, job, layout))
        (layout.root / WORKER).unlink()
        layout.finish()
    result = load_record(layout.whole.root / RESULT)
    if "failed" in result:
        raise TrialError(result["failed"])
    return result


def _has_config(folder: Path, config: TrainConfig) -> bool:
    """Whether the trial in a folder has a configuration; absent options have their defaults."""
    try:
        return TrainConfig.from_yaml(RunLayout(folder).config) == config
    except UserError:
        return False


def _try(plan: SearchPlan, job: Job, layout: RunLayout) -> dict[str, Any]:
    """The trial's result, or under "failed" the reason why there is none."""
    try:
        return _run(plan, job, layout)
    except Exception as error:
        if isinstance(error, OSError | MemoryError) or is_full_disk(error):
            # A fault of the machine, not of the trial, which the same command tries again.
            raise
        if isinstance(error, TrialError | UserError):
            return {"failed": str(error)}
        traceback.print_exc()
        first = next(iter(str(error).splitlines()), "")
        return {"failed": f"{type(error).__name__}: {first}"}


def _run(plan: SearchPlan, job: Job, layout: RunLayout) -> dict[str, Any]:
    # Keras' global state would grow with each trial, and change the names of layers.
    keras.utils.clear_session()
    labels, validation = job.examples.labels, job.texts_and_class_ids("validation")
    linear = train_linear_part(job, plan.trial_folder / _name_linear_part(job.config))
    network = None
    result: dict[str, Any] = {"epochs": 0, "best_epoch": 0, "seconds": job.seconds.get("linear", 0)}
    if job.config.has_network:
        loss = make_loss(job.config, job.class_weights())
        strategy, featurizer, core = build_network(job.config, len(labels))
        with strategy.scope():
            history = train_core(job, featurizer, core, loss, layout)
        result = summarize(history)
        if linear is None and not plan.limits_export:
            return result
        network = KerasClassifier(*load_best(job.config, layout, featurizer, core), labels)
    classifier, _ = combine(network, linear, labels, *validation, job.config.seed)
    if linear is not None:
        texts, class_ids = validation
        result |= score(classifier.logits(texts), class_ids, SparseFocalLoss(gamma=0.0))
    if plan.limits_export:
        from tuning.cost import measure_file

        result |= measure_file(classifier, job)
        result |= _check_limits(plan, result)
    return result


def _name_linear_part(config: TrainConfig) -> str:
    """The file of a linear part, which all trials with the same options share."""
    options = (config.linear_terms, config.linear_c, config.max_bytes, config.source_weights)
    return f"linear-{sha256(repr(options).encode()).hexdigest()[:16]}.npz"


def summarize(history: list[Epoch]) -> dict[str, float]:
    """Metrics of the epoch whose weights are kept.

    Raises:
        TrialError: a loss is not finite.
    """
    for row in history:
        if not (math.isfinite(row["loss"]) and math.isfinite(row["val_loss"])):
            raise TrialError(f"the loss is {row['loss']} in epoch {row['epoch']}")
    best = max(history, key=lambda row: row["val_macro_f1"])
    metrics = {
        "val_macro_f1": best["val_macro_f1"],
        "val_accuracy": best["val_accuracy"],
        "val_loss": best["val_loss"],
    }
    seconds = sum(row["seconds"] for row in history)
    return {**metrics, "best_epoch": best["epoch"], "epochs": len(history), "seconds": seconds}


def _check_limits(plan: SearchPlan, result: dict[str, Any]) -> dict[str, str]:
    if plan.max_size is not None and result["bytes"] > plan.max_size:
        return {"failed": f"{result['bytes']:,} bytes are over --max-size"}
    if plan.max_latency is not None and result["p95_ms"] > plan.max_latency:
        return {"failed": f"{result['p95_ms']:.3f} ms are over --max-latency"}
    return {}
