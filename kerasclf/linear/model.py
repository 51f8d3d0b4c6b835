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

    With t_v the number of times that n-gram v of the vocabulary is in a text, the logits are

        sum_v t_v weights_v / sqrt(sum_v t_v idf_v^2) + bias

    which is a linear model of TF-IDF values: `weights` contain the idf. The norm is the Euclidean
    one as long as no n-gram repeats; a repeated one counts like different ones, so that both sums
    are sums over the positions of a text.

    Attributes:
        max_bytes: UTF-8 bytes of a text that are read.
        vocabulary: n-grams to slots.
        weights: float32 [1 + slots, num_classes], by slot; row 0 belongs to unknown n-grams and is
            0, as are those of empty slots.
        squared_idf: float32 [1 + slots], in the same order.
        bias: float32 [num_classes].
    """

    max_bytes: int
    vocabulary: NgramVocabulary
    weights: np.ndarray
    squared_idf: np.ndarray
    bias: np.ndarray

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Logits, float32 [n, num_classes], of n texts."""
        rows, ids = hash_ngrams(texts, self.max_bytes)
        slots = self.vocabulary.find(ids)
        shape = (len(texts), len(self.weights))
        counts = sparse.csr_matrix((np.ones(len(slots)), (rows, slots)), shape)
        norm = np.sqrt(np.maximum(counts @ self.squared_idf, 1))
        return (counts @ self.weights / norm[:, None] + self.bias).astype(np.float32)

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
                squared_idf=self.squared_idf,
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
            arrays = (stored[name] for name in ("weights", "squared_idf", "bias"))
            return cls(int(stored["max_bytes"]), vocabulary, *arrays)
