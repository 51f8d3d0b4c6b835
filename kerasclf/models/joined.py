"""Two models of the same texts as one: weighted soft voting inside of one Keras model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from kerasclf.files import save_record
from kerasclf.models.featurizer import SETTINGS, Featurizer

KIND = "joined"
VOTE = "vote"
"""Name of the layer that takes the logits of all parts, in their order."""
BYTES = "bytes"
"""The input of a file that all parts which read bytes share."""


class JoinedFeaturizer:
    """The model inputs of several featurizers, by name of the part and of the input.

    The inputs of a file are those of all parts. Parts that read bytes share them: that input has
    the length of the longest, and every part reads as much of it as it reads alone. Other inputs
    that have a name in common are told apart by the name of the part.
    """

    def __init__(self, parts: dict[str, Featurizer]):
        """Creates the featurizer.

        Args:
            parts: featurizers by the name of their folder.
        """
        self.parts = parts
        self.needs_tf_text = any(part.needs_tf_text for part in parts.values())
        self._file_names = self._name_file_inputs()

    def _name_file_inputs(self) -> dict[str, dict[str, str]]:
        """Names of a file's inputs by part and by their name in the part."""
        taken: set[str] = set()
        names: dict[str, dict[str, str]] = {}
        for part, featurizer in self.parts.items():
            own = featurizer.inputs
            names[part] = {
                name: f"{part}_{name}" if name in taken - {BYTES} else name for name in own
            }
            taken |= set(own)
        return names

    @property
    def inputs(self) -> dict[str, int]:
        """Inputs of all parts."""
        lengths: dict[str, int] = {}
        for part, names in self._file_names.items():
            for name, length in self.parts[part].inputs.items():
                lengths[names[name]] = max(length, lengths.get(names[name], 0))
        return lengths

    def lengths(self, texts: Sequence[bytes]) -> np.ndarray | None:
        """Sum of the lengths of the parts that have one, int64 [n]; None if no part has one."""
        of_parts = [part.lengths(texts) for part in self.parts.values()]
        found = [lengths for lengths in of_parts if lengths is not None]
        return np.sum(found, axis=0) if found else None

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Model inputs of all parts, of a string tensor [batch]."""
        return self._name({name: part(texts) for name, part in self.parts.items()})

    def read(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Inputs of an exported file, int32 [batch, length] by name, of strings [batch]."""
        longest = self.inputs
        inputs: dict[str, tf.Tensor] = {}
        for part, names in self._file_names.items():
            own = self.parts[part]
            if all(own.inputs[name] < longest[of_file] for name, of_file in names.items()):
                continue
            inputs |= {names[name]: value for name, value in own.read(texts).items()}
        return inputs

    def featurize(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Model inputs of what `read` returns."""
        return self._name(
            {
                name: part.featurize(
                    {
                        own: inputs[self._file_names[name][own]][:, :length]
                        for own, length in part.inputs.items()
                    }
                )
                for name, part in self.parts.items()
            }
        )

    @staticmethod
    def _name(of_parts: dict[str, dict[str, tf.Tensor]]) -> dict[str, tf.Tensor]:
        return {
            f"{part}_{name}": value
            for part, inputs in of_parts.items()
            for name, value in inputs.items()
        }

    def describe(self) -> dict[str, Any]:
        """What a program that feeds an exported file must know.

        A part that takes token ids says what the input is.
        """
        described: dict[str, Any] = {}
        for part in sorted(self.parts.values(), key=lambda part: len(part.inputs)):
            described |= part.describe()
        return {**described, **({"max_bytes": self.inputs[BYTES]} if BYTES in self.inputs else {})}

    def resources(self) -> list[Any]:
        """Those of all parts."""
        return [resource for part in self.parts.values() for resource in part.resources()]

    def save(self, folder: Path) -> None:
        """Writes each part to a folder of its own inside of `folder`."""
        folder.mkdir(exist_ok=True)
        for name, part in self.parts.items():
            part.save(folder / name)
        save_record(folder / SETTINGS, {"kind": KIND, "parts": list(self.parts)})


@keras.saving.register_keras_serializable(package="kerasclf")
class WeightedVote(keras.layers.Layer):
    """Soft voting: the logarithm of the weighted mean of calibrated probabilities."""

    def __init__(self, temperatures: Sequence[float], weights: Sequence[float], **kwargs: Any):
        """Creates the layer.

        Args:
            temperatures: one per voter, positive.
            weights: one per voter, positive, of sum 1.
            **kwargs: those of `keras.layers.Layer`.
        """
        super().__init__(**kwargs)
        self.temperatures, self.weights_of_voters = list(temperatures), list(weights)

    def call(self, voters):
        """Computes the logarithms.

        Args:
            voters: logits of each voter, [batch, num_classes].

        Returns:
            float32 [batch, num_classes].
        """
        weighted = [
            ops.log_softmax(ops.cast(logits, "float32") / temperature) + float(np.log(weight))
            for logits, temperature, weight in zip(
                voters, self.temperatures, self.weights_of_voters, strict=True
            )
        ]
        return ops.logsumexp(ops.stack(weighted), axis=0)

    def get_config(self) -> dict[str, Any]:
        """The arguments that recreate this layer."""
        config = super().get_config()
        return {**config, "temperatures": self.temperatures, "weights": self.weights_of_voters}


@dataclass(frozen=True)
class Part:
    """A part of a joined model.

    Attributes:
        featurizer: strings to model inputs.
        core: model inputs to logits.
        temperature: by which the logits are divided.
        weight: weight of the part's vote.
    """

    featurizer: Featurizer
    core: keras.Model
    temperature: float
    weight: float


def join(parts: dict[str, Part]) -> tuple[JoinedFeaturizer, keras.Model]:
    """Joins models into one, whose logits are those of `WeightedVote`.

    Args:
        parts: the models by name.

    Returns:
        Featurizer and core of the joined model.
    """
    inputs, logits = [], []
    for name, part in parts.items():
        own = [
            keras.Input(batch_shape=x.shape, dtype=x.dtype, name=f"{name}_{x.name}")
            for x in part.core.inputs
        ]
        inputs += own
        # Layers of a model need different names.
        part.core.name = name
        logits.append(part.core(keras.tree.pack_sequence_as(part.core.input, own)))
    vote = WeightedVote(
        [part.temperature for part in parts.values()],
        [part.weight for part in parts.values()],
        dtype="float32",
        name=VOTE,
    )
    featurizer = JoinedFeaturizer({name: part.featurizer for name, part in parts.items()})
    return featurizer, keras.Model(inputs, vote(logits), name="joined")


def find_part(
    featurizer: Featurizer, core: keras.Model, name: str
) -> tuple[Featurizer, keras.Model]:
    """A part of a joined model; a model that is not joined is its own part.

    Args:
        featurizer: of the model.
        core: of the model.
        name: name of the part.
    """
    if not isinstance(featurizer, JoinedFeaturizer):
        return featurizer, core
    return featurizer.parts[name], core.get_layer(name)
