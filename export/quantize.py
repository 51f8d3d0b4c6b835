"""Integers for a float32 flatbuffer, op by op, where the converter's own options are too coarse."""

from collections.abc import Iterable

import numpy as np
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.calibrator import Calibrator
from ai_edge_quantizer.qtyping import QuantGranularity, TFLOperationName
from ai_edge_quantizer.quantizer import Quantizer
from ai_edge_quantizer.recipe_manager import RecipeManager
from ai_edge_quantizer.utils.qsv_utils import min_max_update

from export.lookup import swap_gathers
from export.program import SIGNATURE

INSIDE_LAYERS = "/"  # only Keras names with a slash; what hashes and what decides has none
DENSE = (TFLOperationName.CONV_2D, TFLOperationName.FULLY_CONNECTED)


def quantize_table(model: bytes) -> bytes:
    """Writes tables of embeddings in int4, and convolutions and dense layers in dynamic int8.

    A table has one scale. A scale for each row costs 12 bytes (the format pairs it with an int64
    zero point), as much as a whole row of 24 values in int4. The one scale is that of the least
    squared error, which clips the few largest weights (OCTAV, https://arxiv.org/abs/2206.06501):
    from minimum to maximum, those would leave all others too few steps.

    Args:
        model: a float32 flatbuffer.
    """
    recipe = RecipeManager()
    recipe.add_dynamic_config(
        INSIDE_LAYERS,
        TFLOperationName.EMBEDDING_LOOKUP,
        num_bits=4,
        granularity=QuantGranularity.TENSORWISE,
        algorithm_key=AlgorithmName.OCTAV,
    )
    for operation in DENSE:
        recipe.add_dynamic_config(INSIDE_LAYERS, operation, num_bits=8)
    return _quantize(swap_gathers(model), recipe, None)


def quantize_activations(model: bytes, calibration: Iterable[dict[str, np.ndarray]]) -> bytes:
    """Writes table, convolutions and dense layers in int8, with their activations.

    Two parts stay in float32. Means are sums divided by a text's length: one range that holds the
    sums of long texts has no steps left for those of short ones. And what follows the logits: in
    int8, two close probabilities become one.

    Args:
        model: a float32 flatbuffer.
        calibration: inputs of the signature by name, of texts that are to be expected.
    """
    recipe = RecipeManager()
    for operation in (
        TFLOperationName.GATHER,
        TFLOperationName.AVERAGE_POOL_2D,
        TFLOperationName.MUL,
        *DENSE,
    ):
        recipe.add_static_config(INSIDE_LAYERS, operation, activation_num_bits=8, weight_num_bits=8)
    # Not the default, a moving average over texts, which clips whatever only some texts have.
    calibrator = Calibrator(bytearray(model), qsv_update_func=min_max_update)
    calibrator.calibrate({SIGNATURE: list(calibration)}, recipe)
    return _quantize(model, recipe, calibrator.get_model_qsvs())


def _quantize(model: bytes, recipe: RecipeManager, ranges: dict | None) -> bytes:
    quantizer = Quantizer(bytearray(model), recipe.get_quantization_recipe())
    found = quantizer.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    return bytes(found.quantized_model)
