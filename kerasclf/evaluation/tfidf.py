"""TF-IDF features of the baseline, and of the search for similar texts."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

FEATURES = "TF-IDF (words 1-2, characters 2-5)"


class _Words(TfidfVectorizer):
    """Words 1-2. Texts of single letters or signs have none: their column is 0."""

    def fit_transform(self, raw_documents: Sequence[str], y: object = None) -> sparse.csr_matrix:
        try:
            return super().fit_transform(raw_documents)
        except ValueError:
            self.vocabulary = {"": 0}
            return super().fit_transform(raw_documents)


def make_features() -> FeatureUnion:
    """TF-IDF of words 1-2 and characters 2-5 within words."""
    return FeatureUnion(
        [
            ("words", _Words(ngram_range=(1, 2), sublinear_tf=True)),
            (
                "characters",
                TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
            ),
        ]
    )


def normalize_features(features: sparse.csr_matrix) -> sparse.csr_matrix:
    """The features of `make_features` at length 1: each of their two parts has length 1."""
    return features / np.sqrt(2)
