"""Raw UTF-8 bytes as hashed n-grams: no tokenizer, no vocabulary, the same code everywhere."""

from dataclasses import asdict, dataclass
from pathlib import Path

import tensorflow as tf

from kerasclf.files import write_json
from kerasclf.models.featurizer import SETTINGS

ORDERS = 5
BASE = 257
MODULUS = 2**22 - 3  # prime, and BASE * MODULUS + 255 + ORDERS * STEP < 2^31
STEP = 7919


@dataclass(frozen=True)
class BytesFeaturizer:
    """Texts to hashed byte n-grams of orders 1 to 5 and a mask.

    `hash_bytes` uses only int32 arithmetic and ops that TFLite has built in, so that one piece of
    code runs in tf.data, in a SavedModel and inside a .tflite; `read_bytes` is the one part that
    takes strings, which a device replaces by its own UTF-8 bytes.

    Attributes:
        max_bytes: bytes of a text that are read; the rest is cut.
        buckets: size of the hash table; id 0 is padding.
    """

    max_bytes: int = 256
    buckets: int = 32768

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Model inputs of a string tensor [batch]."""
        return self.hash_bytes(self.read_bytes(texts))

    def read_bytes(self, texts: tf.Tensor) -> tf.Tensor:
        """UTF-8 bytes, int32 [batch, max_bytes], of a string tensor [batch], padded with 0."""
        return tf.cast(tf.io.decode_raw(texts, tf.uint8, fixed_length=self.max_bytes), tf.int32)

    def hash_bytes(self, raw: tf.Tensor) -> dict[str, tf.Tensor]:
        """Hashes the n-grams that end at each byte.

        ASCII letters are lowered. A text ends at its last byte that is not 0, so that a NUL inside
        is text. One byte 0 closes it where there is room: the n-grams there tell how it ends, and
        an empty text has something to take the mean of. With b the byte n - 1 places back (0
        before the text) and h the hash of order n - 1 at the same place, that of order n is
        (257 h + b + 7919 n) mod (2^22 - 3).

        Args:
            raw: int32 [batch, length], bytes, padded with 0.

        Returns:
            "ngrams": int32 [batch, length, 5], 1 to buckets - 1 in the closed text, 0 behind it.
            "mask": float32 [batch, length], 1 in the closed text, 0 behind it.
        """
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

    def save(self, folder: Path) -> None:
        """Writes the settings to `folder`."""
        folder.mkdir(exist_ok=True)
        write_json(folder / SETTINGS, {"kind": "bytes", **asdict(self)})
