"""Progress of the fit in the terminal."""

import time
from typing import Any

import keras

from kerasclf.console import say


class ProgressBar(keras.callbacks.Callback):
    """One line per epoch on stderr and, in a terminal, a progress bar within the epoch."""

    def __init__(self, epochs: int, first: int, steps: int):
        """Creates the callback.

        Args:
            epochs: maximum number of epochs.
            first: number of completed epochs.
            steps: batches per epoch.
        """
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._epochs, self._first, self._steps = epochs, first, steps
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} loss {task.fields[loss]:.4f}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=steps, epoch=first + 1, loss=0.0)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock and the bar."""
        self._start = time.perf_counter()
        self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Resets the bar."""
        self._bar.reset(self._task, total=self._steps, epoch=epoch + 1, loss=0.0)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Advances the bar."""
        self._bar.update(self._task, completed=batch + 1, loss=float((logs or {})["loss"]))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Prints the metrics of the epoch, and the time left if all epochs are run."""
        seconds = (time.perf_counter() - self._start) / (epoch + 1 - self._first)
        left = round(seconds * (self._epochs - epoch - 1))
        say(
            f"epoch {epoch + 1}/{self._epochs}  loss {logs['loss']:.4f}  "
            f"val_loss {logs['val_loss']:.4f}  val_macro_f1 {logs['val_macro_f1']:.4f}  "
            f"{seconds:.1f} s/epoch  at most {left // 60}:{left % 60:02d} left"
        )

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Removes the bar."""
        self._bar.stop()
