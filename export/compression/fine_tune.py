"""Fine-tuning of a wrapped twin: the part that pruning, clustering and quantization share."""

import time
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from export.compression.twin import Weights, make_twin, move_back
from kerasclf.command import say
from kerasclf.data.pipeline import evaluation_dataset, steps_per_epoch, train_dataset
from kerasclf.job.prepare import Job
from kerasclf.models.featurizer import Featurizer
from kerasclf.training.callbacks import score
from kerasclf.training.distillation import DistillationLoss, Teaching
from kerasclf.training.losses import SparseFocalLoss
from kerasclf.training.strategy import prepare


class Method(Protocol):
    """A way of changing a network while it is trained on."""

    def wrap(self, twin: tf_keras.Model, steps: int) -> tf_keras.Model:
        """The model to train for a number of steps; it computes what the twin does, or nearly."""

    def callbacks(self, model: tf_keras.Model) -> list[tf_keras.callbacks.Callback]:
        """What a fit of the wrapped model needs."""

    def strip(self, model: tf_keras.Model) -> Weights:
        """The weights that the twin is to have."""


def fine_tune(
    core: keras.Model,
    featurizer: Featurizer,
    job: Job,
    method: Method,
    teaching: Teaching | None = None,
) -> list[dict[str, Any]]:
    """Trains a core on, changed by a method, for all epochs of the job.

    The weights of the last epoch are kept, since a schedule ends there. Loss, weights of classes,
    sampler and new rows are the job's own.

    Args:
        core: a trained bytes core; its weights are replaced.
        featurizer: strings to its inputs.
        job: data and configuration; `epochs` and `learning_rate` are those of the fine-tuning.
        method: what is changed.
        teaching: what a teacher says of the training rows.

    Returns:
        A row of HISTORY_COLUMNS for each epoch.
    """
    config = job.config
    prepare(config.seed, mixed_precision=False)
    texts, classes, sources = job.training_rows()
    hard = SparseFocalLoss(config.focal_gamma, job.class_weights(), config.label_smoothing)
    targets, loss = classes, hard
    if teaching is not None:
        texts, classes, targets = teaching.repeat(sources).extend(texts, classes)
        loss = DistillationLoss(hard, teaching.temperature, teaching.alpha)
    dataset = train_dataset(
        texts,
        classes,
        targets,
        featurizer,
        batch_size=config.batch_size,
        sampler=config.sampler,
        seed=config.seed,
        epochs=range(config.epochs),
    )
    steps = steps_per_epoch(classes, config.sampler, config.batch_size)
    model = method.wrap(make_twin(core, config), steps * config.epochs)
    schedule = tf_keras.optimizers.schedules.CosineDecay(
        config.learning_rate, decay_steps=steps * config.epochs
    )
    optimizer = tf_keras.optimizers.AdamW(
        schedule, weight_decay=config.weight_decay, global_clipnorm=config.clip_norm
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, loss.call)
    history: list[dict[str, Any]] = []
    validate = _Validate(job, featurizer, hard, history)
    model.fit(
        dataset,
        steps_per_epoch=steps,
        epochs=config.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[*method.callbacks(model), validate],
    )
    move_back(method.strip(model), core)
    return history


class _Validate(tf_keras.callbacks.Callback):
    """Adds a row to the history after each epoch, and says it."""

    def __init__(
        self,
        job: Job,
        featurizer: Featurizer,
        loss: keras.losses.Loss,
        history: list[dict[str, Any]],
    ):
        super().__init__()
        texts, self._labels = job.texts_and_classes("validation")
        self._dataset = evaluation_dataset(texts, featurizer, job.config.batch_size)
        self._loss, self._history, self._start = loss, history, 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        forward = tf.function(lambda x: self.model(x, training=False), reduce_retracing=True)
        logits = np.concatenate([forward(batch).numpy() for batch in self._dataset])
        found = score(logits, self._labels, self._loss)
        seconds = round(time.perf_counter() - self._start, 3)
        self._history.append(
            {"epoch": epoch + 1, "loss": float(logs["loss"]), **found, "seconds": seconds}
        )
        say(
            f"epoch {epoch + 1}/{self.params['epochs']}  loss {logs['loss']:.4f}  "
            f"val_macro_f1 {found['val_macro_f1']:.4f}  {seconds:.1f} s"
        )


class KeepZeros(tf_keras.callbacks.Callback):
    """Sets weights back to 0 after each step where they were 0 before the fit."""

    def __init__(self, variables: list[tf.Variable]):
        """Makes the callback.

        Args:
            variables: float weights of a model that is about to be trained.
        """
        super().__init__()
        self._kept = [(v, tf.cast(v != 0, v.dtype)) for v in variables]

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Multiplies by the mask of what was not 0."""
        for variable, mask in self._kept:
            variable.assign(variable * mask)
