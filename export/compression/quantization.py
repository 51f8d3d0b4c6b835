"""Quantization-aware training: the network is trained with the rounding errors of int8."""

from typing import Any

import tf_keras

from export.compression.fine_tune import KeepZeros
from export.compression.tfmot import quantization as _quantization
from export.compression.twin import Weights, is_compressed

_PREFIX = "quant_"


class _TableConfig(_quantization.QuantizeConfig):
    """Rounds an embedding table, for which TFMOT has no configuration of its own."""

    def get_weights_and_quantizers(self, layer):
        quantizer = _quantization.quantizers.LastValueQuantizer(
            num_bits=8, per_axis=False, symmetric=True, narrow_range=True
        )
        return [(layer.embeddings, quantizer)]

    def set_quantize_weights(self, layer, quantize_weights):
        (layer.embeddings,) = quantize_weights

    def get_activations_and_quantizers(self, layer):
        return []

    def set_quantize_activations(self, layer, quantize_activations):
        pass

    def get_output_quantizers(self, layer):
        return []

    def get_config(self):
        return {}


class _NoTransform(_quantization.QuantizeLayoutTransform):
    """Keeps the layers: TFMOT's own transform would quantize the int32 input."""

    def apply(self, model, layer_quantize_map):
        return model, layer_quantize_map


class _Scheme(_quantization.default_8bit.Default8BitQuantizeScheme):
    def get_layout_transformer(self):
        return _NoTransform()


class QuantizationAwareTraining:
    """Trains with embedding tables, convolution kernels and their outputs rounded to 8 bits.

    Gradients pass through the rounding unchanged (Jacob et al., Quantization and Training of Neural
    Networks for Efficient Integer-Arithmetic-Only Inference, 2018,
    https://arxiv.org/abs/1712.05877). Zero weights stay zero. The result is the unrounded float
    weights, which any recipe of a .tflite can take.
    """

    def describe(self) -> dict[str, Any]:
        """The method, for metrics.json."""
        return {"method": "quantization-aware training"}

    def wrap(self, twin: tf_keras.Model, steps: int) -> tf_keras.Model:
        """The twin with rounded layers."""

        def annotate(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
            if not is_compressed(layer):
                return layer
            config = _TableConfig() if isinstance(layer, tf_keras.layers.Embedding) else None
            return _quantization.quantize_annotate_layer(layer, config)

        with _quantization.quantize_scope({"_TableConfig": _TableConfig}):
            annotated = tf_keras.models.clone_model(twin, clone_function=annotate)
            return _quantization.quantize_apply(annotated, _Scheme(), _PREFIX)

    def callbacks(self, model: tf_keras.Model) -> list[tf_keras.callbacks.Callback]:
        """Keeps a pruned network pruned."""
        # A wrapper has the rounded layer as its attribute `layer`.
        compressed = [x for x in model.layers if is_compressed(getattr(x, "layer", x))]
        return [KeepZeros([layer.trainable_weights[0] for layer in compressed])]

    def strip(self, model: tf_keras.Model) -> Weights:
        """The unrounded float weights."""
        weights = {}
        for layer in model.layers:
            if layer.trainable_weights:
                name = layer.name.removeprefix(_PREFIX)
                weights[name] = [variable.numpy() for variable in layer.trainable_weights]
        return weights
