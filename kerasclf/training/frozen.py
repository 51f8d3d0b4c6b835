"""Frozen layers are computed once for each text, not once in every epoch."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from kerasclf.console import say
from kerasclf.models.featurizer import Featurizer, batch_by_length
from kerasclf.models.token_featurizer import count_tokens

MOST_BYTES = 2 << 30
"""Memory for the outputs of frozen layers; a training that would need more computes them anew."""
BATCH_SIZE = 32
SECONDS = 10.0
"""Time between two lines of progress."""


class Halves(NamedTuple):
    """A core in two models that share its layers.

    Attributes:
        below: inputs of the core to the output of its highest frozen layer, [batch, length, dim].
        above: inputs of the core and that output to what the core returns.
        name: name of that output among the inputs of `above`.
    """

    below: keras.Model
    above: keras.Model
    name: str


def split_core(core: keras.Model) -> Halves | None:
    """Splits a core above its highest frozen layer.

    Args:
        core: model inputs to logits; layers are frozen from the inputs upwards.

    Returns:
        Both halves, or None if no layer is frozen.
    """
    frozen = [layer for layer in core.layers if layer.weights and not layer.trainable]
    if not frozen:
        return None
    hidden = frozen[-1].output
    above = keras.Model([*core.inputs, hidden], core.outputs[0])
    return Halves(keras.Model(core.inputs, hidden), above, above.inputs[-1].name)


def cache_frozen(
    core: keras.Model, featurizer: Featurizer, texts: Sequence[str]
) -> tuple[keras.Model, "CachedFeatures"] | None:
    """Computes the frozen layers of a core for some texts.

    Dropout in frozen layers does nothing then.

    Args:
        core: model inputs to logits.
        featurizer: strings to model inputs.
        texts: all texts that the layers above will be called with.

    Returns:
        The layers above, which share their weights with the core, and what turns strings into
        their inputs. None if no layer is frozen, if several devices train, or if the outputs would
        not fit into 2 GiB.
    """
    halves = split_core(core)
    if halves is None or tf.distribute.get_strategy().num_replicas_in_sync > 1:
        return None
    unique = list(dict.fromkeys(texts))
    values = max(featurizer.inputs.values()) * halves.below.output_shape[-1]
    if len(unique) * values * np.dtype(np.float16).itemsize > MOST_BYTES:
        return None
    return halves.above, CachedFeatures(halves, featurizer, unique)


class CachedFeatures:
    """Texts to the inputs of the layers above the frozen ones."""

    def __init__(self, halves: Halves, featurizer: Featurizer, texts: Sequence[str]):
        """Computes the frozen layers, and prints how far it is.

        Args:
            halves: both halves of the core.
            featurizer: strings to inputs of the core.
            texts: n strings, each once.
        """
        self._featurizer, self._name = featurizer, halves.name
        self._dim = halves.below.output_shape[-1]
        # The outputs of a text, float16 [tokens, dim], without its padding.
        self._hidden: dict[bytes, np.ndarray] = {}
        compute = tf.function(
            lambda batch: self._compute(halves.below, batch),
            input_signature=[tf.TensorSpec([None], tf.string)],
        )
        start = said = time.perf_counter()
        encoded = [text.encode("utf-8") for text in texts]
        for rows in batch_by_length(featurizer, encoded, BATCH_SIZE):
            batch = [encoded[i] for i in rows]
            hidden, lengths = (tensor.numpy() for tensor in compute(tf.constant(batch)))
            for text, row, length in zip(batch, hidden, lengths, strict=True):
                self._hidden[text] = row[:length].astype(np.float16)
            now = time.perf_counter()
            if now - said >= SECONDS:
                rate = len(self._hidden) / (now - start)
                say(f"frozen layers: {len(self._hidden)} of {len(texts)} texts, {rate:.0f} texts/s")
                said = now

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Inputs of the layers above, for a string tensor [batch] of texts that were computed."""
        inputs = self._featurizer(texts)
        length = tf.shape(next(iter(inputs.values())))[1]
        hidden = tf.numpy_function(self._look_up, [texts, length], tf.float16)
        hidden.set_shape([None, None, self._dim])
        return {**inputs, self._name: tf.cast(hidden, keras.backend.floatx())}

    def _compute(self, below: keras.Model, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        inputs = self._featurizer(texts)
        return below(inputs, training=False), count_tokens(inputs)

    def _look_up(self, texts: np.ndarray, length: int) -> np.ndarray:
        """The outputs for [batch] texts, float16 [batch, length, dim], padded with 0."""
        hidden = np.zeros((len(texts), length, self._dim), np.float16)
        for row, text in zip(hidden, texts, strict=True):
            found = self._hidden[text]
            row[: len(found)] = found
        return hidden
