"""Runs of benchmarks: trained once, and kept."""

from collections.abc import Callable
from typing import Any

from kerasclf import console
from kerasclf.config import TrainConfig
from kerasclf.files import load_record
from kerasclf.job.prepare import Job, prepare_job, resume_job


def train_once(
    config: TrainConfig, prepare: Callable[[TrainConfig], Job | None] = prepare_job
) -> dict[str, Any] | None:
    """The metrics of a run, which is trained, gone on with, or read.

    Args:
        config: its name is that of no other run in `output`.
        prepare: prepares a run that was not begun; None if there is nothing to train.
    """
    folder = config.output / str(config.name)
    finished, begun = folder / "1", folder / "1.partial"
    if finished.is_dir():
        return {"run": str(finished), **load_record(finished / "metrics.json")}
    job = resume_job(begun) if (begun / "config.yaml").is_file() else prepare(config)
    if job is None:
        return None
    with console.quiet_imports():
        import keras

        from kerasclf.job.execute import run_job

    keras.utils.clear_session()
    return run_job(job)
