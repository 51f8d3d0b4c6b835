"""Towers: copies of an encoder that are trained side by side and averaged."""

import keras

MEAN_OF_TOWERS = "mean_of_towers"
"""Name of the layer that averages the logits of the towers."""


def tower_logits(core: keras.Model) -> list[keras.KerasTensor]:
    """The logits of each tower of a core; of a core without towers, its own."""
    last = core.layers[-1]
    return last.input if last.name == MEAN_OF_TOWERS else [core.outputs[0]]
