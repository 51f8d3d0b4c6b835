"""Pretrained encoders: any KerasHub text backbone, from a preset, Hugging Face or a folder."""

import difflib
import os
from collections import Counter
from pathlib import Path

import keras

from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.models.token_featurizer import TokenFeaturizer


def build(config: TrainConfig, num_classes: int) -> tuple[TokenFeaturizer, keras.Model]:
    """Loads the backbone and its tokenizer, and puts an untrained head on it.

    Raises:
        UserError: the backbone cannot be loaded.
    """
    featurizer, backbone = load_pretrained(config.encoder, config.max_tokens)
    freeze_layers(backbone, config.freeze_layers)
    return featurizer, build_pretrained_core(backbone, num_classes, config.dropout)


def load_featurizer(folder: Path) -> TokenFeaturizer:
    """Loads what `TokenFeaturizer.save` wrote."""
    return TokenFeaturizer.load(folder)


def load_pretrained(encoder: str, max_tokens: int) -> tuple[TokenFeaturizer, keras.Model]:
    """Loads a backbone with its tokenizer.

    Args:
        encoder: a KerasHub preset, hf://REPOSITORY or a folder (KerasHub or Hugging Face layout).
        max_tokens: tokens that are read of a text.

    Returns:
        The featurizer, and the backbone: a Keras model of its features to a sequence of vectors.

    Raises:
        UserError: it cannot be loaded; says why, and what to do.
    """
    source = _check_source(encoder)
    # Its downloader's retries would say what the error at the end says.
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")
    import keras_hub

    try:
        preprocessor = keras_hub.models.TextClassifierPreprocessor.from_preset(
            source, sequence_length=max_tokens
        )
        backbone = keras_hub.models.Backbone.from_preset(source)
    except Exception as error:
        # KerasHub raises whatever its downloader, tokenizer or converter raised.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(_advice(encoder, source, reason)) from error
    limit = getattr(backbone, "max_sequence_length", None)
    if limit and max_tokens > limit:
        raise UserError(f"--max-tokens is {max_tokens}; {encoder} reads at most {limit}")
    return TokenFeaturizer(preprocessor), backbone


def build_pretrained_core(backbone: keras.Model, num_classes: int, dropout: float) -> keras.Model:
    """Builds a classifier head on a pretrained backbone: mean pooling over tokens, then dropout.

    Args:
        backbone: KerasHub text backbone.
        num_classes: number of logits.
        dropout: share of the pooled features that is dropped in training.

    Returns:
        Model of the backbone's inputs, [batch, length], to logits float32 [batch, num_classes].
    """
    inputs = {tensor.name: tensor for tensor in backbone.inputs}
    output = backbone.output
    sequence = output["sequence_output"] if isinstance(output, dict) else output
    mask = inputs["padding_mask"]
    x = keras.layers.GlobalAveragePooling1D(name="mean")(sequence, mask=mask)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(backbone.inputs, logits, name="pretrained")


def freeze_layers(backbone: keras.Model, count: int) -> None:
    """Makes the lowest layers of a backbone, and everything below them, not trainable.

    Args:
        backbone: KerasHub text backbone.
        count: number of layers; 0 leaves the backbone as it is.

    Raises:
        UserError: the backbone has fewer layers.
    """
    if not count:
        return
    # Of every architecture, the layers are the largest group of layers of one class with weights.
    kinds = Counter(type(layer) for layer in backbone.layers if layer.weights)
    kind = kinds.most_common(1)[0][0]
    layers = [layer for layer in backbone.layers if type(layer) is kind]
    if count > len(layers):
        raise UserError(f"--freeze-layers is {count}; {backbone.name} has {len(layers)} layers")
    highest = backbone.layers.index(layers[count - 1])
    for layer in backbone.layers[: highest + 1]:
        layer.trainable = False


def _advice(encoder: str, source: str, reason: str) -> str:
    if os.path.isdir(source):
        return (
            f"cannot load the encoder {encoder}: {reason}; expected a text backbone in the "
            "KerasHub or Hugging Face layout, of a type that KerasHub can convert"
        )
    return (
        f"cannot load the encoder {encoder}: {reason}; without network access, or if it has only "
        "pytorch_model.bin, make a folder with its safetensors and give the folder's path"
    )


def _check_source(encoder: str) -> str:
    """Checks what can be seen without loading, and returns what KerasHub takes."""
    path = Path(encoder).expanduser()
    if path.is_dir():
        return str(_check_folder(path))
    if "://" in encoder:
        return encoder
    import keras_hub

    presets = keras_hub.models.Backbone.presets
    if encoder in presets:
        return encoder
    near = difflib.get_close_matches(encoder, presets, n=3)
    hint = f"; similar presets: {', '.join(near)}" if near else ""
    raise UserError(
        f"--encoder {encoder!r} is neither bytes, a folder, hf://REPOSITORY nor a KerasHub "
        f"preset{hint}"
    )


def _check_folder(path: Path) -> Path:
    if not (path / "config.json").is_file():
        raise UserError(
            f"{path} has no config.json; expected a model folder in the KerasHub or Hugging Face "
            "layout"
        )
    weights = [
        *path.glob("*.safetensors*"),
        *path.glob("*.weights.h5"),
        *path.glob("*.weights.json"),
    ]
    if weights:
        return path
    if (path / "pytorch_model.bin").is_file():
        raise UserError(
            f"{path} has its weights only as pytorch_model.bin, which KerasHub does not read; "
            "convert them where PyTorch is installed: AutoModel.from_pretrained(FOLDER)"
            ".save_pretrained(FOLDER, safe_serialization=True)"
        )
    raise UserError(f"{path} has no weights; expected model.safetensors or model.weights.h5")
