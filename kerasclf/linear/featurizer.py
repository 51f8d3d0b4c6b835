"""The n-grams of a linear model in the graph: bytes to slots of its vocabulary."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import tensorflow as tf

from kerasclf.files import FORMAT, check_format, load_record, replacing, save_record
from kerasclf.linear.ngrams import CODES, IS_WORD, KINDS, MODULUS, ORDERS, PAIR, PAIR_OFFSET
from kerasclf.linear.vocabulary import NgramVocabulary
from kerasclf.models.bytes_featurizer import read_batch, read_bytes
from kerasclf.models.featurizer import SETTINGS

VOCABULARY = "vocabulary.npz"


@dataclass(frozen=True, eq=False)
class NgramFeaturizer:
    """Texts to the slots of their n-grams, as `hash_ngrams` and `NgramVocabulary.find` do.

    It uses int32 arithmetic and builtin TFLite ops alone.

    Attributes:
        max_bytes: bytes of a text that are read; longer texts are truncated.
        vocabulary: n-grams to slots.
    """

    max_bytes: int
    vocabulary: NgramVocabulary

    needs_tf_text: ClassVar[bool] = False

    @property
    def inputs(self) -> dict[str, int]:
        """Bytes that an exported file takes."""
        return {"bytes": self.max_bytes}

    def lengths(self, texts: Sequence[bytes]) -> None:
        """None: the linear part is not trained in batches."""

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Model inputs of a string tensor [batch]."""
        return self.featurize({"bytes": read_batch(texts, self.max_bytes)})

    def read(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """UTF-8 bytes of a string tensor [batch]: "bytes", int32 [batch, max_bytes], 0-padded."""
        return {"bytes": read_bytes(texts, self.max_bytes)}

    def featurize(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Looks up all n-grams.

        Padding looks like spaces, and no n-gram consists of spaces alone.

        Args:
            inputs: "bytes", int32 [batch, length], padded with 0.

        Returns:
            By kind, int32 [batch, m]: 1 + slot, or 0 if there is no n-gram or the vocabulary does
            not have it. There are 5 length characters.
        """
        raw = inputs["bytes"]
        length = tf.shape(raw)[1]
        padded = tf.pad(raw, [[0, 0], [ORDERS - 1, 0]])
        codes = tf.gather(tf.constant(CODES), padded)
        is_word = tf.gather(tf.constant(IS_WORD.astype(np.int32)), padded)

        def back(values: tf.Tensor, k: int) -> tf.Tensor:
            """The value k bytes before each byte of the text."""
            start = ORDERS - 1 - k
            return values[:, start : start + length]

        code = [back(codes[:, :, k], k) for k in range(ORDERS)]
        letter = [back(is_word, k) for k in range(ORDERS)]
        ids = [code[0]]
        for k in range(1, ORDERS):
            ids.append(ids[-1] + code[k])
        # The longest n-gram within a word that ends at a byte, from its first byte to its last.
        window = code[-1] * letter[-1]
        for k in reversed(range(ORDERS - 1)):
            window = (window + code[k]) * letter[k]
        words = _sum_by_word(tf.math.floormod(window, MODULUS), letter[0] * (1 - letter[1]))
        short = tf.math.floormod(words, MODULUS)
        pairs = short * PAIR + tf.pad(short[:, :-1], [[0, 0], [1, 0]]) + PAIR_OFFSET
        slots = self._find(tf.concat([*ids, words, pairs], axis=1))
        split = (slots[:, : ORDERS * length], slots[:, ORDERS * length :])
        return dict(zip(KINDS, split, strict=True))

    def _find(self, ids: tf.Tensor) -> tf.Tensor:
        """`NgramVocabulary.find` in the graph."""
        keys, displacements = self.vocabulary.keys, self.vocabulary.displacements
        place = tf.math.floordiv(ids, len(displacements))
        # The remainder: multiplication is much faster than another division.
        bucket = ids - place * len(displacements)
        slot = tf.math.floormod(place + tf.gather(tf.constant(displacements), bucket), len(keys))
        known = tf.equal(tf.gather(tf.constant(keys), slot), ids)
        return (slot + 1) * tf.cast(known, tf.int32)

    def describe(self) -> dict[str, Any]:
        """What a program that feeds an exported file must know."""
        return {"input": "bytes", "max_bytes": self.max_bytes}

    def resources(self) -> list[Any]:
        """None: the vocabulary is made of constants."""
        return []

    def save(self, folder: Path) -> None:
        """Writes settings and vocabulary to `folder`."""
        folder.mkdir(exist_ok=True)
        save_record(folder / SETTINGS, {"kind": "ngrams", "max_bytes": self.max_bytes})
        with replacing(folder / VOCABULARY) as beside:
            np.savez(
                beside,
                format=FORMAT,
                keys=self.vocabulary.keys,
                displacements=self.vocabulary.displacements,
            )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
        settings, path = load_record(folder / SETTINGS), folder / VOCABULARY
        with np.load(path) as stored:
            check_format(path, int(stored["format"]))
            vocabulary = NgramVocabulary(stored["keys"], stored["displacements"])
        return cls(settings["max_bytes"], vocabulary)


def _sum_by_word(values: tf.Tensor, starts: tf.Tensor) -> tf.Tensor:
    """Sums over each word, int32 [batch, length // 2 + 2].

    Args:
        values: int32 [batch, length], 0 outside of words.
        starts: int32 [batch, length], 1 at the first byte of a word, otherwise 0.
    """
    batch, most = tf.shape(values)[0], tf.shape(values)[1] // 2 + 2
    # Sum 0 is of the bytes before the first word: 0.
    word = tf.cumsum(starts, axis=1) + tf.range(batch)[:, None] * most
    sums = tf.scatter_nd(tf.reshape(word, [-1, 1]), tf.reshape(values, [-1]), [batch * most])
    return tf.reshape(sums, [batch, most])
