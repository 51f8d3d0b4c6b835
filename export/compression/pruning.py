"""Magnitude pruning: the smallest weights become 0, and the others learn to do without them."""

from dataclasses import dataclass

import tensorflow_model_optimization as tfmot
import tf_keras

from export.compression.twin import Weights, is_compressed, read_weights

UPDATES = 100


@dataclass(frozen=True)
class Pruning:
    """Sets a rising share of each layer's weights to 0.

    The share rises by a polynomial of degree 3 over the first two thirds of the steps (Zhu and
    Gupta, To prune, or not to prune, 2017, https://arxiv.org/abs/1710.01878); the rest of the
    steps mends what is left. With a pattern of m:n the m smallest of each n weights are 0 from
    the first step on, as sparse matrix units want it.

    Attributes:
        sparsity: share of zeros at the end, 0 to 1; of no account with a pattern.
        pattern: m and n, or None.
    """

    sparsity: float
    pattern: tuple[int, int] | None = None

    def wrap(self, twin: tf_keras.Model, steps: int) -> tf_keras.Model:
        """The twin with pruned layers."""
        pruning = tfmot.sparsity.keras
        end = max(1, steps * 2 // 3)
        # A pattern has one share of zeros only; it holds from the first step on.
        schedule = (
            pruning.ConstantSparsity(self.pattern[0] / self.pattern[1], 0, frequency=1)
            if self.pattern
            else pruning.PolynomialDecay(
                0.0, self.sparsity, 0, end, frequency=max(1, end // UPDATES)
            )
        )
        pattern = {"sparsity_m_by_n": self.pattern} if self.pattern else {}

        def prune(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
            if not is_compressed(layer.name):
                return layer
            return pruning.prune_low_magnitude(layer, schedule, **pattern)

        return tf_keras.models.clone_model(twin, clone_function=prune)

    def callbacks(self, model: tf_keras.Model) -> list[tf_keras.callbacks.Callback]:
        """Moves the schedule on after each step."""
        return [tfmot.sparsity.keras.UpdatePruningStep()]

    def strip(self, model: tf_keras.Model) -> Weights:
        """Weights with their zeros."""
        return read_weights(tfmot.sparsity.keras.strip_pruning(model))
