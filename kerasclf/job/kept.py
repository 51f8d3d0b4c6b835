"""Runs that are trained once: the same job again finds the finished run, or goes on with it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasclf.config import TrainConfig
from kerasclf.console import quiet_imports, say
from kerasclf.errors import UserError
from kerasclf.files import load_record, load_table
from kerasclf.job.defaults import fit_to_data, with_choices_of
from kerasclf.job.job import Job
from kerasclf.job.prepare import load_unchanged, prepare_job, resume_job
from kerasclf.run.hold import is_held
from kerasclf.run.layout import RunLayout

if TYPE_CHECKING:
    from kerasclf.training.distillation import SoftLabels


def find_kept(
    config: TrainConfig, soft_labels: "SoftLabels | None" = None, interrupted: bool = False
) -> RunLayout | None:
    """The newest run of a configuration that is finished, or that nobody is training.

    Args:
        config: a resolved configuration.
        soft_labels: of a student; a run that was trained on others does not count.
        interrupted: whether finished runs do not count.
    """
    folder = config.output / str(config.name)
    runs = RunLayout.all_of(folder) if folder.is_dir() else []
    for layout in reversed(runs):
        if interrupted and not layout.is_partial:
            continue
        if not layout.config.is_file() or not _is_of(layout, config):
            continue
        if soft_labels is not None and not _has(layout.soft_labels, soft_labels):
            continue
        if not layout.is_partial or not is_held(layout):
            return layout
    return None


def begin_or_resume(config: TrainConfig) -> Job:
    """Prepares a new run, or goes on with an interrupted one of the same configuration and data.

    Raises:
        UserError: the data or an option cannot be used.
    """
    kept = find_kept(config.resolved(), interrupted=True)
    if kept is None:
        return prepare_job(config)
    say(f"going on with {kept.root}, which was interrupted")
    return resume_job(kept.root)


def _is_of(layout: RunLayout, config: TrainConfig) -> bool:
    """Whether a run has a configuration, and its data is still what it was."""
    try:
        kept = TrainConfig.from_yaml(layout.config)
        kept = replace(kept, target=config.target)
        if with_choices_of(config, kept) != config:
            return False
        rows = load_unchanged(layout).rows
    except UserError:
        return False
    if kept != config:
        # What is not asked for was chosen by the training rows.
        is_train = (load_table(layout.split)["split"] == "train").to_numpy()
        config = fit_to_data(config, rows["text"][is_train].tolist())
    return kept == config


def _has(path: Path, soft_labels: "SoftLabels") -> bool:
    """Whether a file holds these soft labels."""
    if not path.is_file():
        return False
    kept = type(soft_labels).load(path)
    return (
        (kept.temperature, kept.alpha) == (soft_labels.temperature, soft_labels.alpha)
        and kept.transfer_texts == list(soft_labels.transfer_texts)
        and np.array_equal(kept.probabilities, soft_labels.probabilities)
        and np.array_equal(_of_transfer(kept), _of_transfer(soft_labels))
    )


def _of_transfer(soft_labels: "SoftLabels") -> np.ndarray:
    """Probabilities of the transfer set, or an empty array."""
    transfer = soft_labels.transfer_probabilities
    return np.zeros(0, dtype=np.float32) if transfer is None else transfer


def train_once(
    config: TrainConfig,
    prepare: Callable[[TrainConfig], Job | None] = prepare_job,
) -> dict[str, Any] | None:
    """The metrics of a run, which is trained, gone on with, or read.

    Args:
        config: of the run.
        prepare: prepares a run that was not begun; None if there is nothing to train.

    Returns:
        As `run_job`; None if there is nothing to train.

    Raises:
        UserError: as `prepare`.
    """
    config.check()
    kept = find_kept(config.resolved())
    if kept is not None and not kept.is_partial:
        return {"run": str(kept.root), **load_record(kept.metrics)}
    job = prepare(config) if kept is None else resume_job(kept.root)
    if job is None:
        return None
    with quiet_imports():
        import keras

        from kerasclf.job.execute import run_job

    keras.utils.clear_session()
    return run_job(job)
