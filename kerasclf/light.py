"""A run without TensorFlow: its float32 .tflite, which LiteRT runs."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerasclf.console import quiet_imports, shorten
from kerasclf.edge_runtime import EdgeClassifier
from kerasclf.encoders import NETWORK
from kerasclf.errors import UserError
from kerasclf.prediction import check_texts, describe_decisions
from kerasclf.run.layout import RunLayout

if TYPE_CHECKING:
    import pandas as pd


MOST_TEXTS = 20_000
"""Keras labels more texts sooner: it takes seconds to start, but uses all processors."""


def open_quietly(
    path: Path, read: Callable[[str], dict[str, np.ndarray]] | None = None
) -> EdgeClassifier:
    """Opens a .tflite and runs it once, without what LiteRT prints about its delegates.

    Args:
        path: the file.
        read: reads the rows of a file that takes token ids; see `EdgeClassifier`.

    Raises:
        Exception: whatever LiteRT raises of a damaged file.
    """
    with quiet_imports("LiteRT"):
        file = EdgeClassifier(path, read=read)
        file.run_ones()
    return file


def run_file(
    file: EdgeClassifier, texts: Iterable[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a file makes of n texts; returns the arrays of `LightClassifier.run`."""
    outputs = [file.run(text) for text in texts]
    return (
        np.array([int(output["label"][0]) for output in outputs], dtype=np.int64),
        np.array([bool(output["review"][0]) for output in outputs], dtype=bool),
        np.array([output["probabilities"][0] for output in outputs], dtype=np.float64).reshape(
            len(outputs), len(file.labels)
        ),
    )


class LightClassifier:
    """Strings to labels as Keras decides them, one text at a time and without its start-up time.

    It can be used by several threads, and after a fork.

    Attributes:
        labels: label names by class id.
    """

    def __init__(self, layout: RunLayout):
        """Loads the file that a run keeps.

        Args:
            layout: a finished run with `layout.light`.

        Raises:
            UserError: the file is damaged.
        """
        self._path = layout.light
        self._idle = [self._open()]
        self.labels = tuple(self._idle[0].labels)

    def _open(self) -> EdgeClassifier:
        """A copy of the model, which only one thread at a time can use."""
        try:
            file = open_quietly(self._path)
        except Exception as error:  # LiteRT raises what a damaged file makes it raise.
            reason = shorten(str(error), 200)
            raise UserError(
                f"{self._path} is damaged ({reason}); delete it, and predictions use Keras"
            ) from error
        return file

    @contextmanager
    def _borrow(self) -> Iterator[EdgeClassifier]:
        """A copy of the model that no other thread uses meanwhile."""
        try:
            file = self._idle.pop()
        except IndexError:
            file = self._open()
        try:
            yield file
        finally:
            self._idle.append(file)

    def run(self, texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the file makes of n texts.

        Returns:
            Class ids after the decision rule, int64 [n]; whether a person should review each, bool
            [n]; and calibrated probabilities, float64 [n, num_classes].
        """
        with self._borrow() as file:
            return run_file(file, check_texts(texts))

    def network_logits(self, texts: Iterable[str]) -> np.ndarray:
        """Logits of the network that a linear part is joined to, float64 [n, num_classes]."""
        with self._borrow() as file:
            outputs = [file.run(text)[NETWORK][0] for text in check_texts(texts)]
        return np.array(outputs, dtype=np.float64).reshape(len(outputs), len(self.labels))

    def predict(self, texts: Iterable[str]) -> "pd.DataFrame":
        """Labels n texts; the frame of `Classifier.predict`."""
        decided, review, probabilities = self.run(texts)
        return describe_decisions(self.labels, decided, probabilities, review)

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Calibrated probabilities, float64 [n, num_classes], of n texts."""
        return self.run(texts)[2]
