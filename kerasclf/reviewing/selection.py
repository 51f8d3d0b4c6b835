"""Which unlabelled rows to label first: uncertain, likely of rare classes, unlike each other."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer

CANDIDATES = 6
"""Candidates of a batch by the rows that are chosen of them."""
DIMENSIONS = 48


def uncertainty(probabilities: np.ndarray) -> np.ndarray:
    """Entropy by that of the uniform distribution, float64 [n], 0 to 1."""
    p = np.maximum(np.asarray(probabilities, dtype=np.float64), 1e-12)
    return -(p * np.log(p)).sum(axis=1) / np.log(p.shape[1])


def rarity(probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """How much of the probability is that of rare classes, float64 [n], 0 to 1.

    Args:
        probabilities: float [n, num_classes].
        shares: float [num_classes], shares of the classes among the labelled rows.
    """
    return np.asarray(probabilities) @ (1 - np.asarray(shares) / np.max(shares))


def select_rows(
    texts: Sequence[str], probabilities: np.ndarray, shares: np.ndarray, count: int, seed: int = 0
) -> np.ndarray:
    """Positions of the rows to label, int64, the most useful first.

    Of six times as many candidates with the highest uncertainty and rarity, one is taken from each
    cluster of similar texts.

    Args:
        texts: n strings.
        probabilities: float [n, num_classes].
        shares: as in `rarity`.
        count: number of rows to select.
        seed: of the clusters.
    """
    score = uncertainty(probabilities) + rarity(probabilities, shares)
    order = np.argsort(-score, kind="stable")
    candidates = order[: CANDIDATES * count]
    if len(candidates) <= count:
        return candidates
    features = HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), n_features=2**14
    ).transform([texts[int(i)] for i in candidates])
    dimensions = min(DIMENSIONS, len(candidates) - 1)
    points = TruncatedSVD(dimensions, random_state=seed).fit_transform(features)
    clusters = MiniBatchKMeans(count, random_state=seed, n_init=1).fit_predict(points)
    chosen: list[int] = []
    rest: list[int] = []
    taken: set[int] = set()
    for position, cluster in zip(candidates, clusters, strict=True):
        (rest if cluster in taken else chosen).append(position)
        taken.add(cluster)
    # Clusters can be empty: the best of the others fill the batch.
    return np.array([*chosen, *rest][:count], dtype=np.int64)


def label_next(
    texts: Sequence[str],
    probabilities: np.ndarray,
    labels: Sequence[str],
    shares: np.ndarray,
    count: int,
    batch: int,
    seed: int = 0,
) -> pd.DataFrame:
    """The rows to label next, in batches.

    Args:
        texts: n strings.
        probabilities: float [n, num_classes], calibrated.
        labels: label names by class id.
        shares: as in `rarity`.
        count: number of rows.
        batch: number of rows of a batch.
        seed: of the clusters.

    Returns:
        Frame with row (position among `texts`), batch (from 1), text, suggested_label, p_suggested,
        uncertainty.
    """
    left = np.arange(len(texts))
    frames, spread = [], uncertainty(probabilities)
    for number, start in enumerate(range(0, min(count, len(texts)), batch), start=1):
        size = min(batch, count - start)
        chosen = left[
            select_rows([texts[int(i)] for i in left], probabilities[left], shares, size, seed)
        ]
        best = probabilities[chosen].argmax(axis=1)
        frames.append(
            pd.DataFrame(
                {
                    "row": chosen,
                    "batch": number,
                    "text": [texts[int(i)] for i in chosen],
                    "suggested_label": [labels[int(i)] for i in best],
                    "p_suggested": probabilities[chosen].max(axis=1),
                    "uncertainty": spread[chosen],
                }
            )
        )
        left = np.setdiff1d(left, chosen)
    columns = ["row", "batch", "text", "suggested_label", "p_suggested", "uncertainty"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
