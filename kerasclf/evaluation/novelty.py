"""How new test texts are: their similarity to training texts, and whether it decides."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.metrics import roc_auc_score

CLOSE = 0.6
"""Cosine similarity from which a text is close to another one."""
CLOSE_SHARE, LEAST_AUC = 0.2, 0.6
"""Closeness decides if so many test texts are close, and it predicts hits so well."""
QUARTERS = 4
MOST_PRODUCTS, LEAST_TEXTS = 500_000_000, 200
"""Multiplications of the search for neighbours; with more, a sample of the texts is measured."""
CHUNK = 10_000_000
"""Products that are held in memory at once."""


def find_similarity(
    training: sparse.csr_matrix, held: sparse.csr_matrix, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cosine similarity of texts to the most similar training text.

    Args:
        training: float64 sparse [n, k], rows of length 1.
        held: float64 sparse [m, k], rows of length 1 or 0.
        seed: of the sample, if all texts would take more than 5e8 multiplications.

    Returns:
        int64 [s], positions of the texts that were compared, ascending; and float64 [s], their
        similarities, from 0 to 1.
    """
    cost = (held != 0) @ training.getnnz(axis=0).astype(np.float64)
    order = np.random.default_rng(seed).permutation(len(cost))
    count = int(np.searchsorted(np.cumsum(cost[order]), MOST_PRODUCTS))
    rows = np.sort(order[: max(count, LEAST_TEXTS)])
    columns = training.T.tocsr()
    nearest = np.zeros(len(rows))
    chunk = np.cumsum(cost[rows]) // CHUNK
    for number in np.unique(chunk):
        inside = np.flatnonzero(chunk == number)
        products = held[rows[inside]] @ columns
        nearest[inside] = products.max(axis=1).toarray().ravel()
    return rows, np.clip(nearest, 0, 1)


def describe_novelty(similarity: np.ndarray, hits: np.ndarray) -> dict[str, Any]:
    """How many texts are close to a training text, and whether the close ones are easier.

    Args:
        similarity: float64 [n], to the most similar training text.
        hits: bool [n], whether a linear model is right.

    Returns:
        "rows"; "close", the share of texts with a similarity of at least 0.6; "auc", how well
        similarity predicts hits (area under the ROC curve; 0.5 if all are right or wrong);
        "quarters" of the texts by similarity, with bounds, rows and accuracy; and "decides",
        whether `close` is at least 0.2 and `auc` at least 0.6.
    """
    order = np.argsort(similarity, kind="stable")
    parts = [part for part in np.array_split(order, QUARTERS) if len(part)]
    close = float((similarity >= CLOSE).mean())
    auc = float(roc_auc_score(hits, similarity)) if 0 < hits.sum() < len(hits) else 0.5
    return {
        "rows": len(hits),
        "close": close,
        "auc": auc,
        "quarters": [
            {
                "low": float(similarity[part[0]]),
                "high": float(similarity[part[-1]]),
                "rows": len(part),
                "accuracy": float(hits[part].mean()),
            }
            for part in parts
        ],
        "decides": close >= CLOSE_SHARE and auc >= LEAST_AUC,
    }
