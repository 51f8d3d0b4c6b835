"""The same core in tf_keras, the only Keras that TFMOT supports."""

import keras
import numpy as np
import tf_keras

from kerasclf.config import TrainConfig
from kerasclf.models.build import build_core

COMPRESSED_LAYERS = (
    *(keras.layers.Embedding, keras.layers.Conv2D),
    *(tf_keras.layers.Embedding, tf_keras.layers.Conv2D),
)
"""Layers with nearly all weights. The last layer, a Dense one, is small, and its errors would go
straight into the logits."""

Weights = dict[str, list[np.ndarray]]
"""Weights by layer name."""


def is_compressed(layer: keras.layers.Layer | tf_keras.layers.Layer) -> bool:
    """Whether the weights of a layer, of either Keras, are compressed."""
    return isinstance(layer, COMPRESSED_LAYERS)


def make_twin(core: keras.Model, config: TrainConfig) -> tf_keras.Model:
    """Builds the tf_keras twin of a core, with the same weights.

    Args:
        core: a core of a compressible encoder.
        config: the configuration that it was built from.

    Returns:
        Model of the same inputs to the same logits.
    """
    twin = build_core(config, core.output_shape[-1], tf_keras)
    for layer in twin.layers:
        layer.set_weights(core.get_layer(layer.name).get_weights())
    return twin


def read_weights(model: tf_keras.Model) -> Weights:
    """The weights of a twin."""
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def write_weights(weights: Weights, core: keras.Model) -> None:
    """Replaces the weights of a core by those of its twin."""
    for name, values in weights.items():
        core.get_layer(name).set_weights(values)


def sparsity(core: keras.Model) -> dict[str, float]:
    """Share of zero weights in each compressed layer, by layer name."""
    compressed = [layer for layer in core.layers if is_compressed(layer)]
    return {layer.name: float((layer.get_weights()[0] == 0).mean()) for layer in compressed}
