"""Templates: texts that differ in one word only, although they need not be near-duplicates."""

from array import array
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from kerasclf.data.duplicates import normalize
from kerasclf.data.minhash import mix

LEAST_WORDS = 4
"""Shorter texts share a template by chance."""


def find_templates(texts: Sequence[str]) -> np.ndarray:
    """Assigns each text a number that texts of one template share.

    Two texts are of one template if, after `normalize`, they have the same number of words, at
    least four, and differ in at most one of them. Templates are the connected components. Each text
    has one key per word, made of all its other words; no pairs of texts are compared.

    >>> find_templates(["I know many people from Bali", "I know many people from Solo", "hello"])
    array([0, 0, 1])

    Args:
        texts: n strings.

    Returns:
        int64 [n], numbers from 0 in order of first appearance.
    """
    number_of: dict[str, int] = {}
    ids, lengths = array("q"), np.empty(len(texts), dtype=np.int64)
    for number, text in enumerate(texts):
        words = normalize(text).split()
        lengths[number] = len(words)
        ids.extend(number_of.setdefault(word, len(number_of)) for word in words)
    ends = np.cumsum(lengths)
    row = np.repeat(np.arange(len(texts)), lengths)
    place = np.arange(len(row)) - np.repeat(ends - lengths, lengths)
    # Sums of 64-bit hashes of (word, place): leaving one out is a subtraction.
    place, lengths_of = place.astype(np.uint64), lengths[row].astype(np.uint64)
    hashed = mix(mix(np.array(ids, dtype=np.uint64)) + place)
    total = np.zeros(len(texts), dtype=np.uint64)
    np.add.at(total, row, hashed)
    keys = mix(total[row] - hashed + mix(place)) ^ lengths_of
    inside = lengths[row] >= LEAST_WORDS
    key = np.unique(keys[inside], return_inverse=True)[1]
    return merge_groups(np.arange(len(texts)), (row[inside], key))


def merge_groups(groups: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Joins groups that share a key.

    Args:
        groups: int64 [n], group of each row.
        pairs: int64 [m] rows, and int64 [m] keys of these rows.

    Returns:
        int64 [n], group numbers from 0 in order of first appearance.
    """
    rows, keys = pairs
    count = int(groups.max(initial=-1)) + 1
    size = count + int(keys.max(initial=-1)) + 1
    edges = coo_matrix(
        (np.ones(len(rows), dtype=bool), (groups[rows], count + keys)), shape=(size, size)
    )
    component = connected_components(edges, directed=False)[1]
    return pd.factorize(component[groups])[0].astype(np.int64)
