"""Near-duplicates: texts that are the same message with small differences in spelling."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
from scipy.cluster.hierarchy import DisjointSet

if TYPE_CHECKING:
    from datasketch import MinHash, MinHashLSH

SHINGLE = 5
JACCARD = 0.8
CANDIDATE_JACCARD = 0.6
"""Lower than `JACCARD`, so that MinHash misses hardly any pair; candidates are compared exactly."""
PERMUTATIONS = 64
MAX_CANDIDATES = 256
"""Similar texts that a text is compared with; without a limit, templated texts take O(n^2)."""


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
    with locality-sensitive hashing (Broder, On the resemblance and containment of documents, 1997)
    and are then compared exactly. Groups are the connected components, so two texts of a group may
    be similar only through a chain of others. A text is compared with at most 256 similar texts.

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
        self._normalized = dict.fromkeys(normalize(text) for text in texts)
        self._shingles = [_shingles(text) for text in self._normalized]
        self._index = _make_index()
        for i, sketch in enumerate(_sketch(self._shingles)):
            self._index.insert(i, sketch)

    def matches(self, texts: Sequence[str]) -> np.ndarray:
        """Whether each of n texts is a near-duplicate of an indexed text: bool [n]."""
        normalized = [normalize(text) for text in texts]
        shingles = [_shingles(text) for text in normalized]
        flags = [
            text in self._normalized
            or any(_similar(parts, self._shingles[i]) for i in self._index.query(sketch))
            for text, parts, sketch in zip(normalized, shingles, _sketch(shingles), strict=True)
        ]
        return np.array(flags, dtype=bool)


def _merge_similar(texts: list[str], components: DisjointSet) -> None:
    """Merges the components of similar texts; each text is compared with earlier ones."""
    index = _make_index()
    shingles = [_shingles(text) for text in texts]
    for i, sketch in enumerate(_sketch(shingles)):
        candidates = index.query(sketch)
        for j in candidates:
            if not components.connected(i, j) and _similar(shingles[i], shingles[j]):
                components.merge(i, j)
        if len(candidates) < MAX_CANDIDATES:
            index.insert(i, sketch)


def _shingles(text: str) -> set[str]:
    return {text[i : i + SHINGLE] for i in range(max(1, len(text) - SHINGLE + 1))}


def _similar(first: set[str], second: set[str]) -> bool:
    shared = len(first & second)
    return shared >= JACCARD * (len(first) + len(second) - shared)


def _make_index() -> "MinHashLSH":
    from datasketch import MinHashLSH

    return MinHashLSH(threshold=CANDIDATE_JACCARD, num_perm=PERMUTATIONS)


def _sketch(shingle_sets: list[set[str]]) -> Iterator["MinHash"]:
    from datasketch import MinHash

    hashes = ([crc32(s.encode()) for s in shingles] for shingles in shingle_sets)
    return MinHash.generator(hashes, num_perm=PERMUTATIONS, hashfunc=int, seed=1)
