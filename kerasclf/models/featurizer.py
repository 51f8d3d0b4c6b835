"""The first stage of a model: a featurizer turns strings into the inputs of a core."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

SETTINGS = "featurizer.json"


class Featurizer(Protocol):
    """Turns strings into model inputs, in the graph and in the same way everywhere."""

    @property
    def inputs(self) -> dict[str, int]:
        """Inputs of an exported file: number of values for one text, by name of the input."""
        ...

    @property
    def needs_tf_text(self) -> bool:
        """Whether its graph has ops of TensorFlow Text."""
        ...

    def lengths(self, texts: Sequence[bytes]) -> np.ndarray | None:
        """Length of the model inputs of each text, int64 [n].

        A batch is as long as its longest text, so that texts of similar length share a training
        batch. None if texts of all lengths do.
        """
        ...

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Model inputs, each [batch, ...], of a string tensor [batch]."""
        ...

    def read(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Inputs of an exported file, int32 [batch, length] by name, of strings [batch]."""
        ...

    def featurize(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Model inputs of what `read` returns, with builtin TFLite ops alone."""
        ...

    def describe(self) -> dict[str, Any]:
        """What a program that feeds an exported file must know, for the file's metadata."""
        ...

    def resources(self) -> list[Any]:
        """Trackable objects that a SavedModel of the featurizer must hold."""
        ...

    def save(self, folder: Path) -> None:
        """Writes what `kerasclf.models.load.load_featurizer` reads."""
        ...


def batch_by_length(
    featurizer: Featurizer | None, texts: Sequence[bytes], size: int
) -> Iterator[np.ndarray]:
    """Yields the positions of n texts in batches of at most `size`, shortest texts first.

    Args:
        featurizer: measures the texts; without one, or if it does not, they are measured in bytes.
        texts: n texts in UTF-8.
        size: texts per batch.
    """
    lengths = None
    if featurizer is not None and len(texts) > size:
        lengths = featurizer.lengths(texts)
    if lengths is None:
        lengths = np.array([len(text) for text in texts])
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), size):
        yield order[start : start + size]
