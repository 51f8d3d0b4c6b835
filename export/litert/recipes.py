"""The recipes of `kerasclf tflite`: how weights are stored in a .tflite. A name is a contract.

float32        weights and arithmetic in float32: the reference
float16        weights in float16, arithmetic in float32 (or float16 on a GPU)
dynamic_int8   weights in int8 by channel, embedding tables too; activations are quantized at run
               time where the runtime has kernels for it
full_int8      embedding tables, convolutions and dense layers in int8 with their activations, whose
               ranges are calibrated on training texts; hashing stays int32; the means over a text
               and everything after the logits stay float32
int4_embedding embedding tables in int4 with one scale, all other weights as in dynamic_int8

Adding a recipe takes one entry in `RECIPES`. This module imports neither TensorFlow nor
ai-edge-quantizer, so that commands can list and check the names before they do.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kerasclf.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

DEFAULT_RECIPE = "dynamic_int8"
CALIBRATION_TEXTS = 500


def _set_nothing(converter: "tf.lite.TFLiteConverter") -> None:
    """Leaves a converter as it is: it writes float32."""


def _set_dynamic_int8(converter: "tf.lite.TFLiteConverter") -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]


def _set_float16(converter: "tf.lite.TFLiteConverter") -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _finish_nothing(model: bytes, calibration: "Iterable[dict[str, np.ndarray]]") -> bytes:
    """Returns a converter's flatbuffer unchanged."""
    return model


def _finish_int4(model: bytes, calibration: "Iterable[dict[str, np.ndarray]]") -> bytes:
    from export.litert.quantize import quantize_table

    return quantize_table(model)


def _finish_full_int8(model: bytes, calibration: "Iterable[dict[str, np.ndarray]]") -> bytes:
    from export.litert.quantize import quantize_activations

    return quantize_activations(model, calibration)


@dataclass(frozen=True)
class Recipe:
    """How weights are stored, and how much the result may differ from Keras.

    Attributes:
        name: key in `RECIPES`.
        tolerance: largest difference of a probability from Keras that still counts as equal.
        bytes_per_weight: size of a weight, for a check that the file has all weights.
        bytes_per_table_weight: the same for embedding tables.
        set_up: sets the options of a TFLiteConverter.
        finish: does what the converter cannot; takes the converter's flatbuffer and, if the recipe
            calibrates, the file's inputs, by name, for training texts.
        calibrates: whether `finish` needs training texts.
        only_bytes: whether `kerasclf compress` tries it only for encoders that read bytes.
    """

    name: str
    tolerance: float
    bytes_per_weight: float
    bytes_per_table_weight: float
    set_up: "Callable[[tf.lite.TFLiteConverter], None]" = _set_nothing
    finish: "Callable[[bytes, Iterable[dict[str, np.ndarray]]], bytes]" = _finish_nothing
    calibrates: bool = False
    only_bytes: bool = False


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("float32", 1e-5, 4.0, 4.0),
        Recipe("float16", 5e-3, 2.0, 2.0, set_up=_set_float16),
        Recipe("dynamic_int8", 0.1, 1.0, 1.0, set_up=_set_dynamic_int8),
        Recipe(
            "full_int8", 0.1, 1.0, 1.0, finish=_finish_full_int8, calibrates=True, only_bytes=True
        ),
        Recipe("int4_embedding", 0.2, 1.0, 0.5, finish=_finish_int4, only_bytes=True),
    )
}
"""By name, from the most exact to the smallest; `kerasclf compress` tries them in this order."""


def find_recipe(name: str) -> Recipe:
    """The recipe that a value of `--recipe` names.

    Raises:
        UserError: there is none.
    """
    if name not in RECIPES:
        raise UserError(f"--recipe is {name!r}; expected one of {', '.join(RECIPES)}")
    return RECIPES[name]
