"""Near-duplicates: texts that are the same message with small differences in spelling."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.cluster.hierarchy import DisjointSet

from kerasclf.data.minhash import hash_bands, list_shingles

JACCARD = 0.8
MAX_CANDIDATES = 256
"""Similar texts that a text is compared with; without a limit, templated texts take O(n^2)."""
KEPT_SETS = 2048
"""Sets of shingles that are kept: that of a text of 114 bytes takes 10 kB."""


class _Folding(dict):
    """A `str.translate` table that maps punctuation, control characters and spaces to a space."""

    def __missing__(self, point: int) -> int:
        # Marks are kept: in Tamil or Hindi they are vowels. So are symbols: emoji carry meaning.
        self[point] = 32 if unicodedata.category(chr(point))[0] in "PZC" else point
        return self[point]


_FOLDING = _Folding()


def normalize(text: str) -> str:
    """Removes case, compatibility forms (NFKC), punctuation and repeated spaces.

    A text that consists of punctuation alone is only stripped, so that "?" and "!" stay different.

    >>> normalize("  Halo,   DUNIA!! ")
    'halo dunia'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.translate(_FOLDING).split()) or text.strip()


def group_texts(texts: Sequence[str], groups: Sequence[str] | None = None) -> np.ndarray:
    """Assigns each text a group number that near-duplicates share.

    Two texts are near-duplicates if they are equal after `normalize`, or if the sets of their
    5-character shingles have a Jaccard similarity of at least 0.8. Candidates come from MinHash
    (`kerasclf.data.minhash`) and are then compared exactly. Groups are the connected components, so
    two texts of a group may be similar only through a chain of others. A text is compared with at
    most 256 similar texts.

    >>> group_texts(["Apa kabar?", "terima kasih", "apa kabar"]).tolist()
    [0, 1, 0]

    Args:
        texts: n strings.
        groups: n group names; rows with the same name are joined, and "" stands for no group.

    Returns:
        int64 [n], group numbers from 0 in order of first appearance.
    """
    normalized = [normalize(text) for text in texts]
    node_of: dict[str, int] = {}
    nodes = [node_of.setdefault(text, len(node_of)) for text in normalized]
    components = DisjointSet(range(len(node_of)))
    _merge_similar(list(node_of), components)
    first: dict[str, int] = {}
    for name, node in zip(groups or [""] * len(nodes), nodes, strict=True):
        if name:
            components.merge(first.setdefault(name, node), node)
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(components[n], len(numbers)) for n in nodes], np.int64)


class NearDuplicateIndex:
    """An index of texts that finds near-duplicates of them.

    A text matches if `group_texts` would join it with an indexed text directly, not through a chain
    of other texts.
    """

    def __init__(self, texts: Sequence[str]):
        """Indexes the texts."""
        self._texts = list(dict.fromkeys(normalize(text) for text in texts))
        self._known = set(self._texts)
        keys = hash_bands(self._texts)
        self._order = np.argsort(keys, axis=0, kind="stable").astype(np.int32)
        self._keys = np.take_along_axis(keys, self._order.astype(np.int64), axis=0)

    def matches(self, texts: Sequence[str]) -> np.ndarray:
        """Whether each of n texts is a near-duplicate of an indexed text: bool [n]."""
        normalized = [normalize(text) for text in texts]
        shingles = _ShingleSets(self._texts)
        flags = np.array([text in self._known for text in normalized], dtype=bool)
        for place, keys in enumerate(hash_bands(normalized)):
            if not flags[place]:
                own = set(list_shingles(normalized[place]))
                flags[place] = any(_similar(own, shingles[i]) for i in self._query(keys))
        return flags

    def _query(self, keys: np.ndarray) -> set[int]:
        """Indexed texts that have a band in common."""
        found: set[int] = set()
        for band, key in enumerate(keys):
            low, high = np.searchsorted(self._keys[:, band], [key, key + np.uint64(1)])
            found.update(self._order[low:high, band].tolist())
        return found


def _merge_similar(texts: list[str], components: DisjointSet) -> None:
    """Merges the components of similar texts; each text is compared with earlier ones."""
    buckets = _share_buckets(hash_bands(texts))
    members: dict[int, list[int]] = {}
    shingles = _ShingleSets(texts)
    for i in np.flatnonzero((buckets >= 0).any(axis=1)).tolist():
        own = [bucket for bucket in buckets[i].tolist() if bucket >= 0]
        candidates = set().union(*(members.get(bucket, ()) for bucket in own))
        for j in candidates:
            if not components.connected(i, j) and _similar(shingles[i], shingles[j]):
                components.merge(i, j)
        if len(candidates) < MAX_CANDIDATES:
            for bucket in own:
                members.setdefault(bucket, []).append(i)


def _share_buckets(keys: np.ndarray) -> np.ndarray:
    """Numbers of what several texts have in common.

    Args:
        keys: uint64 [n, bands], of `hash_bands`.

    Returns:
        int32 [n, bands], a number for each key of a band that several texts have, otherwise -1.
    """
    buckets = np.full(keys.shape, -1, dtype=np.int32)
    first = 0
    for band in range(keys.shape[1]):
        _, number, counts = np.unique(keys[:, band], return_inverse=True, return_counts=True)
        shared = counts > 1
        numbers = np.where(shared, first + np.cumsum(shared) - 1, -1)
        buckets[:, band] = numbers[number]
        first += int(shared.sum())
    return buckets


class _ShingleSets:
    """Sets of shingles by the number of a text; those that were used last are kept."""

    def __init__(self, texts: Sequence[str]):
        self._get = lru_cache(KEPT_SETS)(lambda i: set(list_shingles(texts[i])))

    def __getitem__(self, i: int) -> set[str]:
        return self._get(i)


def _similar(first: set[str], second: set[str]) -> bool:
    shared = len(first & second)
    return shared >= JACCARD * (len(first) + len(second) - shared)
