"""Fine-tuning of a wrapped twin, which pruning, clustering and QAT share."""

import time
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from export.compression.twin import Weights, make_twin, write_weights
from kerasclf.console import say
from kerasclf.data.pipeline import evaluation_dataset, steps_per_epoch, train_dataset
from kerasclf.job.job import Job
from kerasclf.models.featurizer import Featurizer
from kerasclf.models.joined import find_part
from kerasclf.run.history import Epoch
from kerasclf.training.callbacks import score
from kerasclf.training.distillation import SoftLabels
from kerasclf.training.losses import make_loss
from kerasclf.training.objective import make_objective
from kerasclf.training.strategy import prepare


class Method(Protocol):
    """A compression method: what it changes in a network while the network is fine-tuned."""

    def describe(self) -> dict[str, Any]:
        """The method and its parameters, for metrics.json."""
        ...

    def wrap(self, twin: tf_keras.Model, steps: int) -> tf_keras.Model:
        """The model to fine-tune for a number of steps."""
        ...

    def callbacks(self, model: tf_keras.Model) -> list[tf_keras.callbacks.Callback]:
        """Callbacks that the wrapped model needs."""
        ...

    def strip(self, model: tf_keras.Model) -> Weights:
        """The compressed weights of the wrapped model, for the network without wrappers."""
        ...


def fine_tune(
    core: keras.Model,
    featurizer: Featurizer,
    job: Job,
    method: Method,
    soft_labels: SoftLabels | None = None,
) -> list[Epoch]:
    """Fine-tunes a core under a compression method, for all epochs of a job.

    The weights of the last epoch are kept, not the best ones, since the schedule of a method ends
    there. Loss, class weights, sampler and augmented rows are those of the job.

    Args:
        core: a trained core of a compressible encoder, joined with a linear part or not; the
            weights of the network are replaced.
        featurizer: strings to model inputs.
        job: data and configuration, with `epochs` and `learning_rate` of the fine-tuning.
        method: how the core is compressed.
        soft_labels: probabilities of teachers for the training rows.

    Returns:
        The history of all epochs.
    """
    config = job.config
    featurizer, core = find_part(featurizer, core, "network")
    prepare(config.seed, mixed_precision=False)
    texts, class_ids, sources = job.training_rows()
    if soft_labels is not None:
        soft_labels = soft_labels.repeat(sources)
    loss = make_loss(config, job.class_weights())
    objective = make_objective(texts, class_ids, loss, soft_labels, job.training_weights())
    dataset = train_dataset(
        objective.texts,
        objective.class_ids,
        objective.targets,
        featurizer,
        batch_size=config.batch_size,
        sampler=config.sampler,
        seed=config.seed,
        epochs=range(config.epochs),
        weights=objective.weights,
    )
    steps = steps_per_epoch(objective.class_ids, config.sampler, config.batch_size)
    model = method.wrap(make_twin(core, config), steps * config.epochs)
    schedule = tf_keras.optimizers.schedules.CosineDecay(
        config.learning_rate, decay_steps=steps * config.epochs
    )
    optimizer = tf_keras.optimizers.AdamW(
        schedule, weight_decay=config.weight_decay, global_clipnorm=config.clip_norm
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    # The function of rows: tf_keras does not accept a loss of Keras 3.
    model.compile(optimizer, objective.loss.call)
    history: list[Epoch] = []
    validation = _Validation(job, featurizer, loss, history)
    model.fit(
        dataset,
        steps_per_epoch=steps,
        epochs=config.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[*method.callbacks(model), validation],
    )
    write_weights(method.strip(model), core)
    return history


class _Validation(tf_keras.callbacks.Callback):
    """Measures the validation rows after each epoch; appends to the history and prints a line."""

    def __init__(
        self, job: Job, featurizer: Featurizer, loss: keras.losses.Loss, history: list[Epoch]
    ):
        super().__init__()
        texts, self._class_ids = job.texts_and_class_ids("validation")
        self._dataset = evaluation_dataset(texts, featurizer, job.config.batch_size)
        self._loss, self._history, self._start = loss, history, 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        forward = tf.function(lambda x: self.model(x, training=False), reduce_retracing=True)
        logits = np.concatenate([forward(batch).numpy() for batch in self._dataset])
        metrics = score(logits, self._class_ids, self._loss)
        seconds = round(time.perf_counter() - self._start, 3)
        self._history.append(
            Epoch(
                epoch=epoch + 1,
                loss=float(logs["loss"]),
                val_loss=metrics["val_loss"],
                val_accuracy=metrics["val_accuracy"],
                val_macro_f1=metrics["val_macro_f1"],
                seconds=seconds,
            )
        )
        say(
            f"epoch {epoch + 1}/{self.params['epochs']}  loss {logs['loss']:.4f}  "
            f"val_macro_f1 {metrics['val_macro_f1']:.4f}  {seconds:.1f} s"
        )


class KeepZeros(tf_keras.callbacks.Callback):
    """After each step, resets the weights that were 0 before the fit."""

    def __init__(self, variables: list[tf.Variable]):
        """Creates the callback.

        Args:
            variables: float weights of a model that is about to be trained.
        """
        super().__init__()
        self._masks = [(v, tf.cast(v != 0, v.dtype)) for v in variables]

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Multiplies each variable by its mask of weights that were not 0."""
        for variable, mask in self._masks:
            variable.assign(variable * mask)
