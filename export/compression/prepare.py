"""Before a run is compressed: checks its encoder and data, without importing TensorFlow."""

from dataclasses import replace

from export.compression.config import FineTuneConfig
from kerasclf.config import TrainConfig
from kerasclf.encoders import ENCODERS, find_encoder
from kerasclf.errors import UserError
from kerasclf.extras import check_installed
from kerasclf.job.job import Job
from kerasclf.job.prepare import prepare_job
from kerasclf.run.layout import RunLayout


def check_tfmot() -> None:
    """Checks that TensorFlow Model Optimization is installed.

    Raises:
        UnsupportedError: it is not.
    """
    check_installed("tensorflow_model_optimization", "tensorflow-model-optimization", "compression")


def prepare_compression(layout: RunLayout, config: FineTuneConfig, suffix: str) -> Job:
    """Prepares the job that fine-tunes a run on its own data and split.

    Args:
        layout: a finished run.
        config: options of the fine-tuning.
        suffix: what is added to the run's name if `config` has no name.

    Raises:
        UserError: the run cannot be compressed, or an option is wrong; nothing was written.
        UnsupportedError: TensorFlow Model Optimization is not installed.
    """
    check_tfmot()
    base = TrainConfig.from_yaml(layout.config)
    if not layout.has_network:
        raise UserError(
            f"{layout.root} has no network but a linear part alone; to make it smaller, train with "
            "fewer --linear-terms"
        )
    if not find_encoder(base.encoder).compressible:
        names = " or ".join(name for name, encoder in ENCODERS.items() if encoder.compressible)
        raise UserError(
            f"{layout.root} has the encoder {base.encoder}; only runs of --encoder {names} can be "
            "compressed"
        )
    return prepare_job(
        replace(
            base,
            split=layout.root,
            epochs=config.epochs,
            patience=config.epochs,
            learning_rate=config.learning_rate,
            seed=config.seed,
            name=config.name or f"{base.name}-{suffix}",
            output=config.output or base.output,
        )
    )
