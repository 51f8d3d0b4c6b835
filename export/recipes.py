"""Named ways of writing weights into a .tflite; a name is a contract.

float32        weights and arithmetic in float32: the reference
float16        weights in float16, arithmetic in float32 (or float16 on a GPU)
dynamic_int8   weights in int8 by channel, tables of embeddings too; activations quantized as they
               come, where the runtime has kernels for it
int4_embedding tables of embeddings in int4 with one scale, the other weights as in dynamic_int8
full_int8      tables, convolutions and dense layers in int8 with their activations, whose ranges
               are calibrated on training texts; hashing stays int32, means over a text and what
               follows the logits stay float32
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from export.quantize import quantize_activations, quantize_table

CALIBRATION_TEXTS = 500


@dataclass(frozen=True)
class Recipe:
    """How a converter is set up, and what the result may lose.

    Attributes:
        name: one of RECIPES.
        tolerance: largest difference of a probability from Keras that still counts as equal.
        bytes_per_weight: for a check that the file holds all weights.
        bytes_per_table_weight: the same for tables of embeddings.
    """

    name: str
    tolerance: float
    bytes_per_weight: float
    bytes_per_table_weight: float

    def set_up(self, converter: tf.lite.TFLiteConverter) -> None:
        """Sets a converter's options; the other recipes begin with its float32 flatbuffer."""
        if self.name in ("float16", "dynamic_int8"):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if self.name == "float16":
            converter.target_spec.supported_types = [tf.float16]

    def finish(self, model: bytes, calibration: Iterable[dict[str, np.ndarray]]) -> bytes:
        """Does what the converter cannot.

        Args:
            model: flatbuffer of a converter that was set up.
            calibration: inputs of training texts by name.
        """
        if self.name == "int4_embedding":
            return quantize_table(model)
        if self.name == "full_int8":
            return quantize_activations(model, calibration)
        return model


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("float32", 1e-5, 4.0, 4.0),
        Recipe("float16", 5e-3, 2.0, 2.0),
        Recipe("dynamic_int8", 0.1, 1.0, 1.0),
        Recipe("int4_embedding", 0.2, 1.0, 0.5),
        Recipe("full_int8", 0.1, 1.0, 1.0),
    )
}
