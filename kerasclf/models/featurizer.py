"""The first stage of a model: a featurizer turns strings into the inputs of a core."""

from pathlib import Path
from typing import Any, Protocol

import tensorflow as tf

SETTINGS = "featurizer.json"


class Featurizer(Protocol):
    """Turns strings into model inputs, in the graph and in the same way everywhere."""

    @property
    def inputs(self) -> dict[str, int]:
        """Inputs of an exported file: number of values for one text, by name of the input."""
        ...

    @property
    def buckets_by_length(self) -> bool:
        """Whether training batches are made of texts of similar length."""
        ...

    @property
    def needs_tf_text(self) -> bool:
        """Whether its graph has ops of TensorFlow Text."""
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
