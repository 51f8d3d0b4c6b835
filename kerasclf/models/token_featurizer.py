"""Texts to the token ids of a pretrained encoder."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasclf.extras import check_installed
from kerasclf.files import save_record
from kerasclf.models.featurizer import SETTINGS

BUCKETS = (
    *range(4, 32, 4),
    *range(32, 64, 8),
    *range(64, 128, 16),
    *range(128, 256, 32),
    *range(256, 513, 64),
)
"""Token lengths that batches are cropped to: with XLA, each has a graph of its own."""
COUNTED = 1024
"""Texts whose tokens are counted at once."""


class TokenFeaturizer:
    """Texts to token ids and padding mask, cropped to the bucket of the longest text."""

    needs_tf_text = True

    def __init__(self, preprocessor: keras.layers.Layer):
        """Creates the featurizer.

        Args:
            preprocessor: a KerasHub text classifier preprocessor with its tokenizer.
        """
        self.preprocessor = preprocessor
        self._buckets = [b for b in BUCKETS if b < preprocessor.sequence_length]
        self._buckets.append(preprocessor.sequence_length)

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read, special tokens included."""
        return self.preprocessor.sequence_length

    @cached_property
    def inputs(self) -> dict[str, int]:
        """The core's own inputs, each of `max_tokens` values: BERT has segment ids, too."""
        return dict.fromkeys(sorted(self.read(tf.constant([""]))), self.max_tokens)

    def lengths(self, texts: Sequence[bytes]) -> np.ndarray:
        """Tokens of each text that are read, int64 [n]."""
        parts = range(0, len(texts), COUNTED)
        counts = [self._count(tf.constant(texts[i : i + COUNTED])).numpy() for i in parts]
        return np.concatenate([np.zeros(0, dtype=np.int64), *counts])

    @cached_property
    def _count(self) -> Any:
        return tf.function(
            lambda texts: count_tokens(self._tokenize(texts)),
            input_signature=[tf.TensorSpec([None], tf.string)],
        )

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Model inputs, int32 or bool [batch, length], of a string tensor [batch]."""
        features = self._tokenize(texts)
        counts = count_tokens(features)
        buckets = tf.constant(self._buckets, tf.int64)
        length = tf.reduce_min(tf.boolean_mask(buckets, buckets >= tf.reduce_max(counts)))
        return {name: value[:, :length] for name, value in features.items()}

    def read(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """The same uncropped, int32 [batch, max_tokens]: tokenizers are not builtin TFLite ops."""
        return {name: tf.cast(value, tf.int32) for name, value in self._tokenize(texts).items()}

    def featurize(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The inputs themselves."""
        return inputs

    def _tokenize(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        # A token is rarely longer than 32 bytes; tokenizing a text of megabytes takes minutes.
        start = tf.strings.substr(texts, 0, self.max_tokens * 32)
        valid = tf.strings.unicode_transcode(start, "UTF-8", "UTF-8", errors="ignore")
        # Tokenizers read NUL as the end of a text in a graph, and as a letter in eager mode.
        return self.preprocessor(tf.strings.regex_replace(valid, r"\x00", " "))

    def describe(self) -> dict[str, Any]:
        """What a program that feeds an exported file must know."""
        return {
            "input": "tokens",
            "max_tokens": self.max_tokens,
            "tokenizer": type(self.preprocessor.tokenizer).__name__,
        }

    def resources(self) -> list[Any]:
        """The tokenizer's vocabularies, which a SavedModel holds only if it tracks them."""
        kinds = (tf.Module, tf.saved_model.experimental.TrackableResource)
        members = vars(self.preprocessor.tokenizer).values()
        return [member for member in members if isinstance(member, kinds)]

    def save(self, folder: Path) -> None:
        """Writes the preprocessor and the tokenizer's vocabulary to `folder`."""
        folder.mkdir(exist_ok=True)
        self.preprocessor.save_to_preset(str(folder))
        save_record(folder / SETTINGS, {"kind": "tokens"})

    @classmethod
    def load(cls, folder: Path) -> "TokenFeaturizer":
        """Loads what `save` wrote."""
        check_installed("keras_hub", "keras-nlp", "pretrained")
        import keras_hub  # noqa: F401  registers the preprocessors' classes

        settings = json.loads((folder / "preprocessor.json").read_text(encoding="utf-8"))
        preprocessor = keras.saving.deserialize_keras_object(settings)
        preprocessor.tokenizer.load_assets(str(folder / "assets" / "tokenizer"))
        return cls(preprocessor)


def count_tokens(features: dict[str, tf.Tensor]) -> tf.Tensor:
    """Tokens of each text in the model inputs, int64 [batch]."""
    return tf.reduce_sum(tf.cast(features["padding_mask"], tf.int64), axis=1)
