"""Quantizes a float32 flatbuffer op by op, where the options of the converter are too coarse."""

from collections.abc import Iterable

import numpy as np
from ai_edge_litert.tools import flatbuffer_utils
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.calibrator import Calibrator
from ai_edge_quantizer.qtyping import QuantGranularity, TFLOperationName
from ai_edge_quantizer.quantizer import Quantizer
from ai_edge_quantizer.recipe_manager import RecipeManager
from ai_edge_quantizer.utils.qsv_utils import min_max_update

from export.litert.lookup import INT4_VERSION, INT8_VERSION, swap_gathers
from export.program.classify import SIGNATURE

LINEAR = "tfidf"
"""The name of the layer of the linear part. A text with few known n-grams depends on few of its
weights, so they are never in int4, and their sums stay in float32."""
NETWORK = rf"^(?!.*{LINEAR}).*/"
"""Names of ops of all other Keras layers: they have a slash; hashing and decision have none."""
DENSE = (TFLOperationName.CONV_2D, TFLOperationName.FULLY_CONNECTED)


def quantize_table(model: bytes) -> bytes:
    """Quantizes embedding tables to int4, and convolutions and dense layers to dynamic int8.

    A table has one scale. A scale per row would take 12 bytes (the format pairs it with an int64
    zero point), as much as a whole row of 24 values in int4. The scale minimizes the squared error,
    which clips the few largest weights (OCTAV, https://arxiv.org/abs/2206.06501): a range from
    minimum to maximum would leave all other weights too few steps.

    Args:
        model: a float32 flatbuffer.
    """
    recipe = RecipeManager()
    recipe.add_dynamic_config(
        NETWORK,
        TFLOperationName.EMBEDDING_LOOKUP,
        num_bits=4,
        granularity=QuantGranularity.TENSORWISE,
        algorithm_key=AlgorithmName.OCTAV,
    )
    for operation in DENSE:
        recipe.add_dynamic_config(NETWORK, operation, num_bits=8)
    _add_linear_table(recipe)
    return _quantize(swap_gathers(model, INT4_VERSION), recipe, None)


def quantize_activations(model: bytes, calibration: Iterable[dict[str, np.ndarray]]) -> bytes:
    """Quantizes embedding tables, convolutions and dense layers to int8, with their activations.

    Two parts stay in float32. A mean is a sum divided by a text's length, and a range that covers
    the sums of long texts leaves too few steps for short ones. After the logits, two close
    probabilities would become equal in int8.

    Args:
        model: a float32 flatbuffer.
        calibration: inputs of the signature by name, for typical texts.
    """
    recipe, model = RecipeManager(), swap_gathers(model, INT8_VERSION, LINEAR)
    for operation in (
        TFLOperationName.GATHER,
        TFLOperationName.AVERAGE_POOL_2D,
        TFLOperationName.MUL,
        *DENSE,
    ):
        recipe.add_static_config(NETWORK, operation, activation_num_bits=8, weight_num_bits=8)
    _add_linear_table(recipe)
    # The default, a moving average over texts, clips values that only a few texts reach.
    calibrator = Calibrator(bytearray(model), qsv_update_func=min_max_update)
    calibrator.calibrate({SIGNATURE: list(calibration)}, recipe)
    return _quantize(model, recipe, calibrator.get_model_qsvs())


def _add_linear_table(recipe: RecipeManager) -> None:
    """Quantizes the table of the linear part to int8, with one scale."""
    recipe.add_dynamic_config(
        LINEAR,
        TFLOperationName.EMBEDDING_LOOKUP,
        num_bits=8,
        granularity=QuantGranularity.TENSORWISE,
    )


def _quantize(model: bytes, recipe: RecipeManager, ranges: dict | None) -> bytes:
    quantizer = Quantizer(bytearray(model), recipe.get_quantization_recipe())
    result = quantizer.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    # The quantizer puts constants behind the flatbuffer, where runtimes before 2.14 do not look.
    model_object = flatbuffer_utils.read_model_from_bytearray(bytearray(result.quantized_model))
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model_object))
