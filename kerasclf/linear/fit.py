"""Fits a linear model of texts by scikit-learn: multinomial logistic regression on TF-IDF."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from kerasclf.linear.model import LinearModel
from kerasclf.linear.ngrams import hash_ngrams
from kerasclf.linear.vocabulary import NgramVocabulary

MIN_ROWS = 2
"""An n-gram that is in fewer rows is no candidate."""
MOST_WEIGHTS = 2_600_000
"""Candidates times classes: the solver keeps 20 vectors of this length."""
MOST_BYTES = 16_000_000
"""Text that is read at most; more rows are a random sample. The n-grams take 100 bytes a byte."""
ITERATIONS = 1000
LEAST_PROBABILITY = 0.02
"""Soft labels below it are left out."""
RANKING_TOLERANCE = 1e-3
"""Of the gradient when n-grams are only ranked; that of the fit which is kept is 1e-4."""


@dataclass(frozen=True, eq=False)
class NgramCounts:
    """How often each n-gram is in each text.

    Attributes:
        ids: int32 [k], ids of the n-grams, ascending.
        kinds: float64 sparse [n, k] for each kind, which nearly all ids have only one of.
    """

    ids: np.ndarray
    kinds: list[sparse.csr_matrix]


def count_ngrams(texts: Sequence[str], max_bytes: int, most: int) -> NgramCounts:
    """Counts the n-grams that are in two texts or more.

    Args:
        texts: n strings.
        max_bytes: UTF-8 bytes of a text that are read.
        most: number of n-grams to keep at most, those in the most texts.
    """
    occurrences = [
        np.unique((rows << 31) | ids, return_counts=True)
        for rows, ids in hash_ngrams(texts, max_bytes).values()
    ]
    ids = np.concatenate([pairs & (2**31 - 1) for pairs, _ in occurrences])
    distinct, column, in_rows = np.unique(ids, return_inverse=True, return_counts=True)
    kept = np.flatnonzero(in_rows >= MIN_ROWS)
    if len(kept) > most:
        kept = np.sort(kept[np.argsort(-in_rows[kept], kind="stable")[:most]])
    new_column = np.full(len(distinct), -1)
    new_column[kept] = np.arange(len(kept))
    split = np.split(new_column[column], [len(occurrences[0][0])])
    kinds = []
    for (pairs, counts), columns in zip(occurrences, split, strict=True):
        inside = columns >= 0
        kinds.append(
            sparse.csr_matrix(
                (counts[inside].astype(np.float64), (pairs[inside] >> 31, columns[inside])),
                (len(texts), len(kept)),
            )
        )
    return NgramCounts(distinct[kept].astype(np.int32), kinds)


def inverse_document_frequency(kinds: Sequence[sparse.csr_matrix]) -> np.ndarray:
    """ln((1 + n) / (1 + rows with the n-gram)) + 1, float64 [k], as scikit-learn smooths it.

    Args:
        kinds: counts [n, k] of each kind.
    """
    rows, columns = kinds[0].shape
    in_rows = sum(np.bincount(counts.indices, minlength=columns) for counts in kinds)
    return np.log((1 + rows) / (1 + in_rows)) + 1


def tf_idf(kinds: Sequence[sparse.csr_matrix], idf: np.ndarray) -> sparse.csr_matrix:
    """TF-IDF with the norms of `LinearModel`, float64 sparse [n, k].

    Args:
        kinds: counts [n, k] of each kind.
        idf: float64 [k].
    """
    normed = []
    for counts in kinds:
        norm = np.sqrt(np.maximum(counts @ idf**2, 1))
        normed.append(sparse.diags(1 / norm) @ counts)
    return (sum(normed) @ sparse.diags(idf)).tocsr()


def fit_linear(
    texts: Sequence[str],
    class_ids: np.ndarray,
    num_classes: int,
    *,
    max_bytes: int,
    terms: int,
    inverse_penalty: float,
    seed: int,
    weights: np.ndarray | None = None,
    soft_labels: np.ndarray | None = None,
) -> LinearModel:
    """Fits a balanced logistic regression, keeps its weightiest n-grams, and fits these again.

    Args:
        texts: n training texts.
        class_ids: int64 [n], their class ids.
        num_classes: number of classes, each of which has a row.
        max_bytes: UTF-8 bytes of a text that are read.
        terms: number of n-grams to keep.
        inverse_penalty: C of scikit-learn: the smaller, the stronger the penalty on weights.
        seed: seed of the sample if there are more than `MOST_BYTES` of text.
        weights: float32 [n], weights of the rows in the loss; None if all weigh the same.
        soft_labels: float32 [n, num_classes], probabilities to learn instead of class ids, with
            which classes are not balanced: teachers were trained on balanced ones.
    """
    sampled = _sample(texts, class_ids, max_bytes, seed)
    texts, class_ids = [texts[row] for row in sampled], class_ids[sampled]
    weights = None if weights is None else weights[sampled]
    targets = _Targets(class_ids, weights, None if soft_labels is None else soft_labels[sampled])
    counts = count_ngrams(texts, max_bytes, MOST_WEIGHTS // num_classes)
    idf = inverse_document_frequency(counts.kinds)
    kept = np.arange(len(idf))
    if len(kept) > terms:
        features = tf_idf(counts.kinds, idf)
        model = _fit(features, targets, inverse_penalty, RANKING_TOLERANCE)
        weight = np.linalg.norm(model.coef_, axis=0)
        kept = np.sort(np.argsort(-weight, kind="stable")[:terms])
    features = tf_idf([kind[:, kept] for kind in counts.kinds], idf[kept])
    model = _fit(features, targets, inverse_penalty, 1e-4)
    coefficients, bias = model.coef_, model.intercept_
    if num_classes == 2:
        # One logit, of the second class against the first.
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        bias = np.concatenate([-bias, bias]) / 2
    vocabulary = NgramVocabulary.build(counts.ids[kept])
    slots = vocabulary.find(counts.ids[kept])
    weights = np.zeros((1 + vocabulary.size, num_classes), dtype=np.float32)
    weights[slots] = (coefficients * idf[kept]).T
    idf_of_slots = np.zeros(1 + vocabulary.size, dtype=np.float32)
    idf_of_slots[slots] = idf[kept]
    return LinearModel(max_bytes, vocabulary, weights, idf_of_slots, bias.astype(np.float32))


@dataclass(frozen=True, eq=False)
class _Targets:
    """What is learned: class ids, or probabilities instead of them."""

    class_ids: np.ndarray
    weights: np.ndarray | None
    soft_labels: np.ndarray | None


def _fit(
    features: sparse.csr_matrix, targets: _Targets, c: float, tolerance: float
) -> LogisticRegression:
    balance = "balanced" if targets.soft_labels is None else None
    model = LogisticRegression(C=c, class_weight=balance, max_iter=ITERATIONS, tol=tolerance)
    if targets.soft_labels is None:
        return model.fit(features, targets.class_ids, targets.weights)
    # Cross-entropy with probabilities: a row for each class that is not improbable, weighted by it.
    rows, classes = np.nonzero(targets.soft_labels >= LEAST_PROBABILITY)
    weights = targets.soft_labels[rows, classes]
    if targets.weights is not None:
        weights = weights * targets.weights[rows]
    return model.fit(features[rows], classes, weights)


def _sample(texts: Sequence[str], class_ids: np.ndarray, max_bytes: int, seed: int) -> np.ndarray:
    """Positions of all rows, or of a random sample of them that has `MOST_BYTES` of text."""
    lengths = np.array([min(len(text), max_bytes) for text in texts])
    if lengths.sum() <= MOST_BYTES:
        return np.arange(len(texts))
    order = np.random.default_rng(seed).permutation(len(texts))
    # The first row of each class stays, so that each class has one.
    first = np.unique(class_ids[order], return_index=True)[1]
    order = np.concatenate([order[first], np.delete(order, first)])
    return np.sort(order[: np.searchsorted(np.cumsum(lengths[order]), MOST_BYTES)])
