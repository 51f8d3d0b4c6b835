"""Logistic regression on TF-IDF of n-grams, computed with numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from scipy import sparse

from kerasclf.files import FORMAT, as_damage, check_format, replacing
from kerasclf.linear.ngrams import hash_ngrams
from kerasclf.linear.vocabulary import NgramVocabulary


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A fitted linear model of texts.

    With t_kv the number of times that n-gram v of kind k is in a text, the logits are

        sum_k (sum_v t_kv weights_v / sqrt(sum_v t_kv idf_v^2)) + bias

    which is a linear model of TF-IDF values: `weights` contain the idf. The norm of each kind is
    the Euclidean one as long as no n-gram repeats; a repeated one counts like different ones, so
    that all sums are sums over the positions of a text. A norm of their own keeps the few words of
    a text from being lost among its many characters.

    Attributes:
        max_bytes: UTF-8 bytes of a text that are read.
        vocabulary: n-grams to slots.
        weights: float32 [1 + slots, num_classes], by slot; row 0 belongs to unknown n-grams and is
            0, as are those of empty slots.
        idf: float32 [1 + slots], inverse document frequencies, in the same order.
        bias: float32 [num_classes].
    """

    max_bytes: int
    vocabulary: NgramVocabulary
    weights: np.ndarray
    idf: np.ndarray
    bias: np.ndarray

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Logits, float32 [n, num_classes], of n texts."""
        logits = np.tile(self.bias.astype(np.float64), (len(texts), 1))
        for counts in self.count(texts, self.max_bytes):
            norm = np.sqrt(np.maximum(counts @ self.idf**2, 1))
            logits += counts @ self.weights / norm[:, None]
        return logits.astype(np.float32)

    def count(self, texts: Sequence[str], max_bytes: int) -> list[sparse.csr_matrix]:
        """How often the n-grams of each kind are in n texts, float64 sparse [n, 1 + slots].

        Args:
            texts: n strings.
            max_bytes: UTF-8 bytes of a text that are read.
        """
        shape = (len(texts), len(self.weights))
        return [
            sparse.csr_matrix((np.ones(len(ids)), (rows, self.vocabulary.find(ids))), shape)
            for rows, ids in hash_ngrams(texts, max_bytes).values()
        ]

    def save(self, path: Path) -> None:
        """Writes the model as .npz, whole or not at all."""
        with replacing(path) as beside:
            np.savez(
                beside,
                format=FORMAT,
                max_bytes=self.max_bytes,
                keys=self.vocabulary.keys,
                displacements=self.vocabulary.displacements,
                weights=self.weights,
                idf=self.idf,
                bias=self.bias,
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            UserError: the file is missing or damaged, or has a newer format.
        """
        with as_damage(path), np.load(path) as stored:
            check_format(path, int(stored["format"]))
            vocabulary = NgramVocabulary(stored["keys"], stored["displacements"])
            arrays = (stored[name] for name in ("weights", "idf", "bias"))
            return cls(int(stored["max_bytes"]), vocabulary, *arrays)
