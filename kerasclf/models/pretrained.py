"""Pretrained encoders: any KerasHub text backbone, from a preset, Hugging Face or a folder."""

import difflib
import json
import os
from pathlib import Path

import keras
import tensorflow as tf

from kerasclf.errors import UserError
from kerasclf.files import write_json
from kerasclf.models.featurizer import SETTINGS

BUCKETS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Token lengths that batches are cropped to: few, so that few shapes are ever seen."""


class TokenFeaturizer:
    """Texts to token ids and padding mask, cropped to the bucket of the longest text."""

    def __init__(self, preprocessor: keras.layers.Layer):
        """Makes the featurizer.

        Args:
            preprocessor: a KerasHub text classifier preprocessor with its tokenizer.
        """
        self.preprocessor = preprocessor
        self._lengths = [b for b in BUCKETS if b < preprocessor.sequence_length]
        self._lengths.append(preprocessor.sequence_length)

    @property
    def max_tokens(self) -> int:
        """Tokens that are read of a text, the special ones included."""
        return self.preprocessor.sequence_length

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Model inputs, int32 or bool [batch, length], of a string tensor [batch]."""
        features = self.read_tokens(texts)
        counts = tf.reduce_sum(tf.cast(features["padding_mask"], tf.int32), axis=1)
        lengths = tf.constant(self._lengths)
        length = tf.reduce_min(tf.boolean_mask(lengths, lengths >= tf.reduce_max(counts)))
        return {name: value[:, :length] for name, value in features.items()}

    def read_tokens(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """The same uncropped, [batch, max_tokens]."""
        # A token is rarely longer than 32 bytes; without a cut, a text of megabytes takes minutes.
        cut = tf.strings.substr(texts, 0, self.max_tokens * 32)
        whole = tf.strings.unicode_transcode(cut, "UTF-8", "UTF-8", errors="ignore")
        # Tokenizers take a NUL for the end in a graph, and for a letter outside of one.
        whole = tf.strings.regex_replace(whole, r"\x00", " ")
        return self.preprocessor(whole)

    def save(self, folder: Path) -> None:
        """Writes the preprocessor and the tokenizer's vocabulary to `folder`."""
        folder.mkdir(exist_ok=True)
        self.preprocessor.save_to_preset(str(folder))
        write_json(folder / SETTINGS, {"kind": "tokens"})

    @classmethod
    def load(cls, folder: Path) -> "TokenFeaturizer":
        """Loads what `save` wrote."""
        import keras_hub  # noqa: F401  registers the preprocessors' classes

        settings = json.loads((folder / "preprocessor.json").read_text(encoding="utf-8"))
        preprocessor = keras.saving.deserialize_keras_object(settings)
        preprocessor.tokenizer.load_assets(str(folder / "assets" / "tokenizer"))
        return cls(preprocessor)


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
