"""Magnitude pruning: the smallest weights become 0 while the others adapt."""

from dataclasses import dataclass
from typing import Any

import tf_keras

from export.compression import tfmot
from export.compression.twin import Weights, is_compressed, read_weights

UPDATES = 100
"""Number of times that the smallest weights are chosen again."""


@dataclass(frozen=True)
class Pruning:
    """Sets a growing share of each layer's weights to 0.

    The share grows by a polynomial of degree 3 over the first two thirds of the steps (Zhu and
    Gupta, To prune, or not to prune, 2017, https://arxiv.org/abs/1710.01878); during the remaining
    steps the network recovers. With an m:n pattern, the m smallest of every n weights are 0 from
    the first step on, as sparse matrix units require it.

    Attributes:
        sparsity: final share of zero weights, 0 to 1; ignored if there is a pattern.
        pattern: m and n of an m:n pattern, or None.
    """

    sparsity: float
    pattern: tuple[int, int] | None = None

    def describe(self) -> dict[str, Any]:
        """The method and its parameters, for metrics.json."""
        return {
            "method": "pruning",
            "pattern": "{}:{}".format(*self.pattern) if self.pattern else None,
            "target": self.pattern[0] / self.pattern[1] if self.pattern else self.sparsity,
        }

    def wrap(self, twin: tf_keras.Model, steps: int) -> tf_keras.Model:
        """The twin with pruned layers."""
        end = max(1, steps * 2 // 3)
        # The share of zeros in a pattern is fixed, so it cannot grow.
        schedule = (
            tfmot.sparsity.ConstantSparsity(self.pattern[0] / self.pattern[1], 0, frequency=1)
            if self.pattern
            else tfmot.sparsity.PolynomialDecay(
                0.0, self.sparsity, 0, end, frequency=max(1, end // UPDATES)
            )
        )
        pattern = {"sparsity_m_by_n": self.pattern} if self.pattern else {}

        def prune(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
            if not is_compressed(layer):
                return layer
            return tfmot.sparsity.prune_low_magnitude(layer, schedule, **pattern)

        return tf_keras.models.clone_model(twin, clone_function=prune)

    def callbacks(self, model: tf_keras.Model) -> list[tf_keras.callbacks.Callback]:
        """Advances the schedule after each step."""
        return [tfmot.sparsity.UpdatePruningStep()]

    def strip(self, model: tf_keras.Model) -> Weights:
        """The weights, zeros included."""
        return read_weights(tfmot.sparsity.strip_pruning(model))
