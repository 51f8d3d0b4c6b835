"""Raw UTF-8 bytes as hashed n-grams: no tokenizer, no vocabulary, the same code everywhere."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import tensorflow as tf

from kerasclf.errors import UserError
from kerasclf.files import load_record, save_record
from kerasclf.models.featurizer import SETTINGS

ORDERS = 5
BASE = 257
MODULUS = 2**22 - 3  # prime, and BASE * MODULUS + 255 + ORDERS * STEP < 2^31
STEP = 7919


LENGTH_STEP = 16
"""Batches of texts are padded to a multiple of this."""


def read_bytes(texts: tf.Tensor, length: tf.Tensor | int) -> tf.Tensor:
    """UTF-8 bytes of a string tensor [batch], int32 [batch, length], truncated or 0-padded."""
    return tf.cast(tf.io.decode_raw(texts, tf.uint8, fixed_length=length), tf.int32)


def read_batch(texts: tf.Tensor, max_bytes: int) -> tf.Tensor:
    """UTF-8 bytes of a batch, padded with at least one 0 behind its longest text.

    Args:
        texts: string [batch].
        max_bytes: bytes of a text that are read.

    Returns:
        int32 [batch, length]; the length is a multiple of 16, or max_bytes.
    """
    longest = tf.reduce_max(tf.concat([tf.strings.length(texts), [0]], axis=0))
    length = (longest // LENGTH_STEP + 1) * LENGTH_STEP
    return read_bytes(texts, tf.minimum(length, max_bytes))


@dataclass(frozen=True)
class BytesFeaturizer:
    """Texts to hashed byte n-grams of orders 1 to 5 and a mask.

    `featurize` uses only int32 arithmetic and builtin TFLite ops, so that the same code runs in
    tf.data, in a SavedModel and inside a .tflite. Only `read` takes strings; a device passes the
    UTF-8 bytes itself.

    Attributes:
        max_bytes: bytes of a text that are read; longer texts are truncated.
        buckets: size of the hash table; id 0 is padding.
    """

    max_bytes: int = 256
    buckets: int = 32768

    needs_tf_text: ClassVar[bool] = False

    @property
    def inputs(self) -> dict[str, int]:
        """Bytes that an exported file takes."""
        return {"bytes": self.max_bytes}

    def lengths(self, texts: Sequence[bytes]) -> None:
        """None: batches with texts of all lengths train better (see the lab notes)."""

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Model inputs of a string tensor [batch]."""
        return self.featurize({"bytes": read_batch(texts, self.max_bytes)})

    def read(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """UTF-8 bytes of a string tensor [batch]: "bytes", int32 [batch, max_bytes], 0-padded."""
        return {"bytes": read_bytes(texts, self.max_bytes)}

    def featurize(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Hashes the n-grams that end at each byte.

        ASCII letters are lowercased. A text ends at its last byte that is not 0, so that a NUL
        inside a text is part of it. One byte 0 follows the text where there is room: the n-grams
        there say how the text ends, and an empty text has something to average. With b the byte
        n - 1 positions back (0 before the text) and h the hash of order n - 1 at the same position,
        the hash of order n is (257 h + b + 7919 n) mod (2^22 - 3).

        Args:
            inputs: "bytes", int32 [batch, length], padded with 0.

        Returns:
            "ngrams": int32 [batch, length, 5], 1 to buckets - 1 in the text and at the 0 that
            follows it, 0 behind; "mask": float32 [batch, length], 1 there and 0 behind.
        """
        raw = inputs["bytes"]
        filled = tf.cast(tf.not_equal(raw, 0), tf.int32)
        places = tf.range(tf.shape(raw)[1])
        size = tf.reduce_max(filled * (places + 1), axis=1, keepdims=True)
        inside = tf.cast(places <= size, tf.int32)
        capital = tf.logical_and(raw >= ord("A"), raw <= ord("Z"))
        back = raw + 32 * tf.cast(capital, tf.int32)
        hashes, hashed = [], tf.zeros_like(raw)
        for order in range(1, ORDERS + 1):
            hashed = tf.math.floormod(hashed * BASE + back + STEP * order, MODULUS)
            hashes.append((tf.math.floormod(hashed, self.buckets - 1) + 1) * inside)
            back = tf.pad(back[:, :-1], [[0, 0], [1, 0]])
        return {"ngrams": tf.stack(hashes, axis=-1), "mask": tf.cast(inside, tf.float32)}

    def describe(self) -> dict[str, Any]:
        """What a program that feeds an exported file must know."""
        return {"input": "bytes", "max_bytes": self.max_bytes}

    def resources(self) -> list[Any]:
        """None: hashing has no vocabulary."""
        return []

    def save(self, folder: Path) -> None:
        """Writes the settings to `folder`."""
        folder.mkdir(exist_ok=True)
        save_record(folder / SETTINGS, {"kind": "bytes", **asdict(self)})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            UserError: the file is missing, or a setting is out of its range.
        """
        settings = load_record(folder / SETTINGS)
        for name, least in (("max_bytes", 1), ("buckets", 2)):
            value = settings.get(name)
            if not isinstance(value, int) or value < least:
                raise UserError(
                    f"{folder / SETTINGS}: {name} is {value!r}; expected a whole number of at "
                    f"least {least}"
                )
        return cls(settings["max_bytes"], settings["buckets"])
