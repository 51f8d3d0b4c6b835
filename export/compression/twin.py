"""The same bytes core in tf_keras, which is the Keras that TFMOT can change."""

import keras
import numpy as np
import tf_keras

from kerasclf.config import TrainConfig
from kerasclf.models.core import build_bytes_core

COMPRESSED = ("table", "conv3", "conv9")
"""Layers with nearly all weights; the last layer is small, and every error in it is a logit's."""

Weights = dict[str, list[np.ndarray]]
"""Weights by layer name."""


def is_compressed(name: str) -> bool:
    """Whether compression changes the layer of that name, in whichever tower it is."""
    return name.split("_")[0] in COMPRESSED


def make_twin(core: keras.Model, config: TrainConfig) -> tf_keras.Model:
    """Builds the tf_keras model of a bytes core, with its weights.

    Args:
        core: a bytes core.
        config: the configuration that it was built by.

    Returns:
        Model of the same inputs to the same logits.
    """
    twin = build_bytes_core(
        core.output_shape[-1],
        config.buckets,
        config.embedding_dim,
        config.filters,
        config.dropout,
        config.towers,
        tf_keras,
    )
    for layer in twin.layers:
        layer.set_weights(core.get_layer(layer.name).get_weights())
    return twin


def read_weights(model: tf_keras.Model) -> Weights:
    """The weights of a twin's layers."""
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def move_back(weights: Weights, core: keras.Model) -> None:
    """Sets a core's weights to those of its twin."""
    for name, values in weights.items():
        core.get_layer(name).set_weights(values)


def sparsity(core: keras.Model) -> dict[str, float]:
    """Share of weights that are 0, by layer, for the layers that compression changes."""
    changed = [layer for layer in core.layers if is_compressed(layer.name)]
    return {layer.name: float((layer.get_weights()[0] == 0).mean()) for layer in changed}
