"""The fit: compile, restore what a killed run left, and train."""

from typing import Any

import keras
import numpy as np

from kerasclf.config import TrainConfig
from kerasclf.data.pipeline import evaluation_dataset, steps_per_epoch, train_dataset
from kerasclf.layout import RunLayout
from kerasclf.models.featurizer import Featurizer
from kerasclf.training.callbacks import (
    Backup,
    EpochSeeds,
    HistoryFile,
    Validation,
    is_over,
    read_history,
)
from kerasclf.training.distillation import DistillationLoss, Teaching
from kerasclf.training.progress import Progress
from kerasclf.training.strategy import make_trainable


def make_optimizer(config: TrainConfig, steps: int) -> keras.optimizers.Optimizer:
    """AdamW with linear warm-up, cosine decay to 0 and a bound on the gradient's global norm.

    Args:
        config: a resolved configuration.
        steps: batches in all epochs.
    """
    warmup = max(1, round(steps * config.warmup_share))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(1, steps - warmup),
        warmup_target=config.learning_rate,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=config.weight_decay, global_clipnorm=config.clip_norm
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def fit(
    core: keras.Model,
    featurizer: Featurizer,
    train: tuple[list[str], np.ndarray],
    validation: tuple[list[str], np.ndarray],
    loss: keras.losses.Loss,
    config: TrainConfig,
    layout: RunLayout,
    teaching: Teaching | None = None,
) -> list[dict[str, Any]]:
    """Trains a core; the weights of its best validation macro-F1 are at `layout.best_weights`.

    Goes on from the backup in `layout` where there is one: the row order, the dropout masks and
    the early stopping are those of an uninterrupted run.

    Args:
        core: model inputs to logits, made within the distribution strategy.
        featurizer: strings to model inputs.
        train: texts and int64 [n] class ids to learn from.
        validation: texts and class ids to stop by.
        loss: loss of class ids and logits.
        config: a resolved configuration.
        layout: the run that is being written.
        teaching: what a teacher says of the training rows.

    Returns:
        A dict of HISTORY_COLUMNS for each epoch.
    """
    texts, classes = train
    targets, training_loss = classes, loss
    if teaching is not None:
        texts, classes, targets = teaching.extend(texts, classes)
        training_loss = DistillationLoss(loss, teaching.temperature, teaching.alpha)
    history = read_history(layout.history)
    scores = [row["val_macro_f1"] for row in history]
    if is_over(scores, config.epochs, config.patience):
        return history
    steps = steps_per_epoch(classes, config.sampler, config.batch_size)
    model = make_trainable(core, config.jit_compile)
    optimizer = make_optimizer(config, steps * config.epochs)
    # Each tower learns alone: only towers that err differently are better together.
    towers = len(model.outputs)
    # What is compiled, and how, is the model's own business.
    model.compile(
        optimizer,
        [training_loss] * towers,
        loss_weights=[1 / towers] * towers,
        jit_compile=False,
    )
    first = Backup.restore(model, layout.backup)
    # A kill between an epoch's row and its backup leaves a row too many.
    del history[first:], scores[first:]
    dataset = train_dataset(
        texts,
        classes,
        targets,
        featurizer,
        batch_size=config.batch_size,
        sampler=config.sampler,
        seed=config.seed,
        epochs=range(first, config.epochs),
        bucket=config.encoder != "bytes",
    ).map(lambda features, targets: (features, (targets,) * towers))
    measured = evaluation_dataset(validation[0], featurizer, config.batch_size)
    model.fit(
        dataset,
        steps_per_epoch=steps,
        initial_epoch=first,
        epochs=config.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[
            EpochSeeds(),
            Validation(
                core,
                loss,
                measured,
                validation[1],
                scores,
                config.epochs,
                config.patience,
                layout.best_weights,
            ),
            HistoryFile(layout.history, history),
            keras.callbacks.TensorBoard(layout.tensorboard, write_graph=False),
            Progress(config.epochs, first, steps),
            Backup(layout.backup),
        ],
    )
    return history
