"""Callbacks of the fit: validation, early stopping, history, seeds of an epoch, backup."""

import csv
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import f1_score

from kerasclf.files import replacing

HISTORY_COLUMNS = ["epoch", "loss", "val_loss", "val_accuracy", "val_macro_f1", "seconds"]


def is_over(scores: list[float], epochs: int, patience: int) -> bool:
    """Whether training ends after epochs with these validation scores."""
    if len(scores) >= epochs:
        return True
    return bool(scores) and len(scores) - 1 - int(np.argmax(scores)) >= patience


def score(logits: np.ndarray, labels: np.ndarray, loss: keras.losses.Loss) -> dict[str, float]:
    """What an epoch's validation says: val_loss, val_accuracy and val_macro_f1.

    Args:
        logits: float32 [n, classes].
        labels: int64 [n], class ids.
        loss: of class ids and logits.
    """
    predicted = logits.argmax(axis=-1)
    return {
        # Called as a whole, a loss is divided by the number of replicas.
        "val_loss": float(np.mean(loss.call(labels, logits))),
        "val_accuracy": float((predicted == labels).mean()),
        "val_macro_f1": float(f1_score(labels, predicted, average="macro", zero_division=0)),
    }


class Validation(keras.callbacks.Callback):
    """After each epoch: macro-F1 over the whole validation split, best weights, early stopping.

    Macro-F1 is no mean over batches, so it is computed from all predictions at once. The scores of
    former epochs are given, so that a resumed run goes on unchanged.
    """

    def __init__(
        self,
        core: keras.Model,
        loss: keras.losses.Loss,
        dataset: tf.data.Dataset,
        labels: np.ndarray,
        scores: list[float],
        epochs: int,
        patience: int,
        best_weights: Path,
    ):
        """Makes the callback.

        Args:
            core: the model without its optimizer, whose weights are saved.
            loss: of class ids and logits, for val_loss.
            dataset: model inputs of all n validation rows, in order.
            labels: int64 [n], class ids.
            scores: macro-F1 of former epochs.
            epochs: most epochs.
            patience: epochs without a better macro-F1 before training stops.
            best_weights: file for the weights of the best epoch (`.weights.h5`).
        """
        super().__init__()
        self._core, self._loss, self._dataset, self._labels = core, loss, dataset, labels
        # Not `predict`, which spreads rows over workers that each validate all of them.
        self._forward = tf.function(
            lambda features: core(features, training=False), reduce_retracing=True
        )
        self._scores, self._epochs, self._patience = list(scores), epochs, patience
        self._best_weights = best_weights

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Adds val_loss, val_accuracy and val_macro_f1 to the logs that all callbacks see."""
        logits = np.concatenate([self._forward(batch).numpy() for batch in self._dataset])
        logs |= score(logits, self._labels, self._loss)
        if logs["val_macro_f1"] > max(self._scores, default=-1.0):
            with replacing(self._best_weights) as beside:
                self._core.save_weights(beside)
        self._scores.append(logs["val_macro_f1"])
        self.model.stop_training = is_over(self._scores, self._epochs, self._patience)


class HistoryFile(keras.callbacks.Callback):
    """Rewrites `history.csv` after each epoch, whole or not at all."""

    def __init__(self, path: Path, rows: list[dict[str, Any]]):
        """Makes the callback; `rows` holds former epochs and grows in place."""
        super().__init__()
        self._path, self._rows, self._start = path, rows, 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the epoch's clock."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Adds a row of HISTORY_COLUMNS."""
        seconds = round(time.perf_counter() - self._start, 3)
        row = {"epoch": epoch + 1, **logs, "seconds": seconds}
        self._rows.append({column: row[column] for column in HISTORY_COLUMNS})
        write_history(self._path, self._rows)


def write_history(path: Path, rows: list[dict[str, Any]]) -> None:
    """Writes a `history.csv`, whole or not at all."""
    with replacing(path) as beside, beside.open("w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def read_history(path: Path) -> list[dict[str, Any]]:
    """The rows of a `history.csv`, none if there is no such file."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    return [{**row, "epoch": int(row["epoch"])} for row in rows]


class EpochSeeds(keras.callbacks.Callback):
    """Makes the dropout masks of an epoch a function of the run's seed and the epoch alone.

    Saved weights do not hold the state of random generators, so a resumed run would else begin
    their sequence anew.
    """

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the counter of each generator; its seed stays, so that layers differ."""
        for variable in self.model.variables:
            if variable.path.endswith("seed_generator_state"):
                seed = int(keras.ops.convert_to_numpy(variable)[0])
                variable.assign(np.array([seed, epoch << 20], dtype=np.uint32))


class Backup(keras.callbacks.Callback):
    """Saves model and optimizer after each epoch, so that training goes on after a crash.

    As `keras.callbacks.BackupAndRestore`, but the weights and the epoch's number are one file that
    is renamed into place: a kill between two writes cannot pair weights with the wrong epoch.
    """

    def __init__(self, folder: Path):
        """Makes the callback; `folder` holds the one newest backup."""
        super().__init__()
        self._folder = folder

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the backup of this epoch, then removes older ones."""
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"{epoch + 1:06d}.weights.h5"
        with replacing(path) as beside:
            self.model.save_weights(beside)
        for other in self._folder.iterdir():
            if other != path:
                other.unlink()

    @staticmethod
    def restore(model: keras.Model, folder: Path) -> int:
        """Restores the newest backup into a compiled model.

        Returns:
            Number of epochs that the backup has behind it, 0 where there is none.
        """
        backups = sorted(folder.glob("[0-9]*.weights.h5"))
        if not backups:
            return 0
        model.optimizer.build(model.trainable_variables)
        model.load_weights(backups[-1])
        return int(backups[-1].name.split(".")[0])
