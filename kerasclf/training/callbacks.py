"""Callbacks of the fit: validation, early stopping, history, seeds of an epoch, backup."""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import f1_score

from kerasclf.run.history import Epoch, write_history
from kerasclf.training.weights import load_weights, save_weights


def is_over(scores: list[float], epochs: int, patience: int) -> bool:
    """Whether training ends after epochs with these validation scores."""
    if len(scores) >= epochs:
        return True
    return bool(scores) and len(scores) - 1 - int(np.argmax(scores)) >= patience


def score(logits: np.ndarray, class_ids: np.ndarray, loss: keras.losses.Loss) -> dict[str, float]:
    """Computes the validation metrics of an epoch: val_loss, val_accuracy and val_macro_f1.

    Args:
        logits: float32 [n, num_classes].
        class_ids: int64 [n], true class ids.
        loss: loss of class ids and logits.
    """
    predicted = logits.argmax(axis=-1)
    # A given validation split may lack a class.
    macro_f1 = f1_score(
        class_ids, predicted, labels=np.unique(class_ids), average="macro", zero_division=0
    )
    return {
        # `loss(...)` would divide by the number of replicas.
        "val_loss": float(np.mean(loss.call(class_ids, logits))),
        "val_accuracy": float((predicted == class_ids).mean()),
        "val_macro_f1": float(macro_f1),
    }


class Validation(keras.callbacks.Callback):
    """After each epoch: macro-F1 over the whole validation split, best weights, early stopping.

    Macro-F1 is not a mean over batches, so it is computed from all predictions at once. The scores
    of earlier epochs are passed in, so that a resumed run continues unchanged.
    """

    def __init__(
        self,
        core: keras.Model,
        trained: keras.Model,
        loss: keras.losses.Loss,
        dataset: tf.data.Dataset,
        class_ids: np.ndarray,
        scores: list[float],
        epochs: int,
        patience: int,
        best_weights: Path,
    ):
        """Creates the callback.

        Args:
            core: the model without its optimizer, whose weights are saved.
            trained: what is validated: the core, or its layers above the frozen ones.
            loss: loss of class ids and logits, for val_loss.
            dataset: inputs of `trained` for all n validation rows, in order.
            class_ids: int64 [n], their true class ids.
            scores: macro-F1 of earlier epochs.
            epochs: maximum number of epochs.
            patience: epochs without a better macro-F1 before training stops.
            best_weights: file for the weights of the best epoch.
        """
        super().__init__()
        self._core, self._loss, self._dataset, self._class_ids = core, loss, dataset, class_ids
        # Not `predict`, which would distribute rows over workers that each validate all.
        self._forward = tf.function(
            lambda features: trained(features, training=False), reduce_retracing=True
        )
        self._scores, self._epochs, self._patience = list(scores), epochs, patience
        self._best_weights = best_weights

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Adds val_loss, val_accuracy and val_macro_f1 to the logs of the later callbacks."""
        logits = np.concatenate([self._forward(batch).numpy() for batch in self._dataset])
        logs |= score(logits, self._class_ids, self._loss)
        if logs["val_macro_f1"] > max(self._scores, default=-1.0):
            save_weights(self._best_weights, self._core.weights)
        self._scores.append(logs["val_macro_f1"])
        self.model.stop_training = is_over(self._scores, self._epochs, self._patience)


class HistoryFile(keras.callbacks.Callback):
    """Rewrites `history.csv` after each epoch, whole or not at all."""

    def __init__(self, path: Path, history: list[Epoch]):
        """Creates the callback; `history` holds earlier epochs and grows in place."""
        super().__init__()
        self._path, self._history, self._start = path, history, 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock of the epoch."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Appends the epoch."""
        seconds = round(time.perf_counter() - self._start, 3)
        self._history.append(
            Epoch(
                epoch=epoch + 1,
                loss=logs["loss"],
                val_loss=logs["val_loss"],
                val_accuracy=logs["val_accuracy"],
                val_macro_f1=logs["val_macro_f1"],
                seconds=seconds,
            )
        )
        write_history(self._path, self._history)


class EpochSeeds(keras.callbacks.Callback):
    """Makes the dropout masks of an epoch a function of the run's seed and the epoch alone.

    Saved weights do not include the state of random generators, so a resumed run would otherwise
    restart their sequence.
    """

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the counter of each generator; its seed is kept, so that layers differ."""
        for variable in self.model.variables:
            if variable.path.endswith("seed_generator_state"):
                seed = int(keras.ops.convert_to_numpy(variable)[0])
                variable.assign(np.array([seed, epoch << 20], dtype=np.uint32))


def _state(model: keras.Model) -> list[Any]:
    """Variables that a resumed training needs: of the model, and of its optimizer."""
    return [*model.weights, *model.optimizer.variables]


class Backup(keras.callbacks.Callback):
    """Saves model and optimizer after each epoch, so that training can resume after a crash.

    Like `keras.callbacks.BackupAndRestore`, but weights and epoch number are one file that is
    renamed into place: a kill between two writes cannot pair weights with the wrong epoch.
    """

    def __init__(self, folder: Path):
        """Creates the callback; `folder` holds the newest backup."""
        super().__init__()
        self._folder = folder

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the backup of this epoch, then deletes older ones."""
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"{epoch + 1:06d}.npz"
        save_weights(path, _state(self.model))
        for other in self._folder.iterdir():
            if other != path:
                other.unlink()

    @staticmethod
    def restore(model: keras.Model, folder: Path) -> int:
        """Restores the newest backup into a compiled model.

        Returns:
            Number of epochs that the backup has completed; 0 if there is no backup.
        """
        backups = sorted(folder.glob("[0-9]*.npz"))
        if not backups:
            return 0
        model.optimizer.build(model.trainable_variables)
        load_weights(backups[-1], _state(model))
        return int(backups[-1].name.split(".")[0])
