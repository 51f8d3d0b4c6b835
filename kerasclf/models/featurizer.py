"""The first half of the seam: a featurizer turns strings into model inputs."""

from pathlib import Path
from typing import Any, Protocol

import tensorflow as tf

from kerasclf.files import read_json

SETTINGS = "featurizer.json"


class Featurizer(Protocol):
    """Turns strings into the inputs of a core, in the graph, the same way everywhere."""

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Model inputs, each [batch, ...], of a string tensor [batch]."""

    def save(self, folder: Path) -> None:
        """Writes what `load_featurizer` needs."""


def load_featurizer(folder: Path) -> Featurizer:
    """Loads the featurizer of a run."""
    settings: dict[str, Any] = read_json(folder / SETTINGS)
    if settings.pop("kind") == "bytes":
        from kerasclf.models.bytes_featurizer import BytesFeaturizer

        return BytesFeaturizer(**settings)
    from kerasclf.models.pretrained import TokenFeaturizer

    return TokenFeaturizer.load(folder)
