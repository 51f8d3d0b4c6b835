"""The fit: compile, restore what an interrupted run left, and train."""

import keras
import numpy as np

from kerasclf.config import TrainConfig
from kerasclf.data.pipeline import evaluation_dataset, steps_per_epoch, train_dataset
from kerasclf.models.featurizer import Featurizer
from kerasclf.run.history import Epoch, read_history
from kerasclf.run.layout import RunLayout
from kerasclf.training.callbacks import Backup, EpochSeeds, HistoryFile, Validation, is_over
from kerasclf.training.frozen import cache_frozen
from kerasclf.training.objective import Objective
from kerasclf.training.optimizer import make_optimizer
from kerasclf.training.progress_bar import ProgressBar
from kerasclf.training.strategy import make_trainable


def fit(
    core: keras.Model,
    featurizer: Featurizer,
    objective: Objective,
    validation: tuple[list[str], np.ndarray],
    loss: keras.losses.Loss,
    config: TrainConfig,
    layout: RunLayout,
) -> list[Epoch]:
    """Trains a core; `layout.best_weights` receives the weights of the best validation macro-F1.

    Resumes from the backup in `layout`, if there is one: row order, dropout masks and early
    stopping are those of an uninterrupted run.

    Args:
        core: model inputs to logits, built within the distribution strategy.
        featurizer: strings to model inputs.
        objective: rows to learn from, with their targets and loss.
        validation: texts and int64 [n] class ids for early stopping.
        loss: loss of class ids and logits, for the validation loss.
        config: a resolved configuration.
        layout: the run that is being written.

    Returns:
        The history of all epochs.
    """
    history = read_history(layout.history)
    scores = [row["val_macro_f1"] for row in history]
    if is_over(scores, config.epochs, config.patience):
        return history
    steps = steps_per_epoch(objective.class_ids, config.sampler, config.batch_size)
    validation = _sort_by_length(*validation, featurizer)
    cached = cache_frozen(core, featurizer, [*objective.texts, *validation[0]])
    trained, features = cached or (core, featurizer)
    model = make_trainable(trained, config.jit_compile)
    optimizer = make_optimizer(config, steps * config.epochs)
    # Each tower has its own loss: averaging helps only towers that make different errors.
    towers = len(model.outputs)
    # `make_trainable` decides what is compiled with XLA.
    model.compile(
        optimizer,
        [objective.loss] * towers,
        loss_weights=[1 / towers] * towers,
        jit_compile=False,
    )
    first = Backup.restore(model, layout.backup)
    # A kill between writing an epoch's row and its backup leaves one row too many.
    del history[first:], scores[first:]
    dataset = train_dataset(
        objective.texts,
        objective.class_ids,
        objective.targets,
        features,
        batch_size=config.batch_size,
        sampler=config.sampler,
        seed=config.seed,
        epochs=range(first, config.epochs),
        lengths=featurizer.lengths([text.encode("utf-8") for text in objective.texts]),
        weights=objective.weights,
    ).map(lambda features, *rest: (features, *((column,) * towers for column in rest)))
    callbacks = [
        EpochSeeds(),
        Validation(
            core,
            trained,
            loss,
            evaluation_dataset(validation[0], features, config.batch_size),
            validation[1],
            scores,
            config.epochs,
            config.patience,
            layout.best_weights,
        ),
        HistoryFile(layout.history, history),
        keras.callbacks.TensorBoard(layout.tensorboard, write_graph=False),
        ProgressBar(config.epochs, first, steps),
        Backup(layout.backup),
    ]
    model.fit(
        dataset,
        steps_per_epoch=steps,
        initial_epoch=first,
        epochs=config.epochs,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
    )
    return history


def _sort_by_length(
    texts: list[str], class_ids: np.ndarray, featurizer: Featurizer
) -> tuple[list[str], np.ndarray]:
    """Rows in an order that wastes the least time on padding, if the featurizer has one."""
    lengths = featurizer.lengths([text.encode("utf-8") for text in texts])
    if lengths is None:
        return texts, class_ids
    order = np.argsort(lengths, kind="stable")
    return [texts[i] for i in order], class_ids[order]
