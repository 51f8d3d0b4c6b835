"""A linear model of texts as a Keras layer."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasclf.linear.model import LinearModel
from kerasclf.linear.ngrams import KINDS


@keras.saving.register_keras_serializable(package="kerasclf")
class TfidfLogits(keras.layers.Layer):
    """Logits of a `LinearModel` from the slots of n-grams."""

    def __init__(self, slots: int, num_classes: int, **kwargs: Any):
        """Creates the layer.

        Args:
            slots: slots of the vocabulary.
            num_classes: number of logits.
            **kwargs: those of `keras.layers.Layer`.
        """
        super().__init__(**kwargs)
        self.slots, self.num_classes = slots, num_classes

    def build(self, input_shape: Any) -> None:
        """Creates the weights; they are fitted by scikit-learn, and not trained."""

        def add(name: str, *shape: int) -> Any:
            return self.add_weight(
                shape=shape, initializer="zeros", dtype="float32", trainable=False, name=name
            )

        self.table = add("embeddings", self.slots + 1, self.num_classes)
        # A matrix, so that a .tflite looks it up as it does the table. In int8, squares would leave
        # frequent n-grams too few steps.
        self.idf = add("idf", self.slots + 1, 1)
        self.bias = add("bias", self.num_classes)

    def call(self, kinds: Sequence[Any]) -> Any:
        """Computes the logits.

        Args:
            kinds: n-grams of each kind, int32 [batch, m], 1 + slot, or 0.

        Returns:
            float32 [batch, num_classes].
        """
        logits = self.bias
        for terms in kinds:
            total = ops.sum(ops.take(self.table, terms, axis=0), axis=1)
            squared_norm = ops.sum(ops.square(ops.take(self.idf, terms, axis=0)), axis=1)
            logits = logits + total / ops.sqrt(ops.maximum(squared_norm, 1.0))
        return logits

    def get_config(self) -> dict[str, Any]:
        """The arguments that recreate this layer."""
        return {**super().get_config(), "slots": self.slots, "num_classes": self.num_classes}


def build_linear_core(model: LinearModel) -> keras.Model:
    """A Keras model from what `NgramFeaturizer` returns to logits, float32 [batch, num_classes]."""
    kinds = [keras.Input((None,), dtype="int32", name=kind) for kind in KINDS]
    layer = TfidfLogits(model.vocabulary.size, len(model.bias), dtype="float32", name="tfidf")
    core = keras.Model(kinds, layer(kinds), name="linear")
    layer.set_weights([model.weights, model.idf[:, None], model.bias])
    return core
