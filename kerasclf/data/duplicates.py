"""Near-duplicates: texts that are the same message, written a little differently."""

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
CANDIDATE_JACCARD = 0.6  # lower, so that hardly any pair is missed; candidates are checked
PERMUTATIONS = 64
CROWD = 256  # lookalikes that a text is compared with: templated data would else take n^2


class _Folding(dict):
    """A `str.translate` table that turns punctuation, controls and spaces into one space."""

    def __missing__(self, point: int) -> int:
        # Marks stay: in Tamil or Hindi they are vowels. So do symbols: emoji carry the meaning.
        self[point] = 32 if unicodedata.category(chr(point))[0] in "PZC" else point
        return self[point]


_FOLDING = _Folding()


def normalize(text: str) -> str:
    """The text without case, compatibility forms, punctuation and repeated spaces (NFKC).

    A text of nothing but punctuation is only stripped, so that "?" and "!" stay two texts.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.translate(_FOLDING).split()) or text.strip()


def group_texts(texts: Sequence[str], groups: Sequence[str] | None = None) -> np.ndarray:
    """Numbers the texts so that near-duplicates share a number.

    Two texts are near-duplicates if they are equal when normalized, or if the sets of their
    5-character shingles have a Jaccard similarity of at least 0.8; candidates come from MinHash
    with locality-sensitive hashing (Broder 1997) and are then compared exactly. Groups are the
    connected components, so "near" may go through a chain of texts. Of a crowd of lookalikes, a
    text is compared with the first 256.

    Args:
        texts: n strings.
        groups: n group names that bind rows in the same way; "" binds nothing.

    Returns:
        int64 [n], numbers from 0 in the order of first appearance.
    """
    normalized = [normalize(text) for text in texts]
    places: dict[str, int] = {}
    nodes = [places.setdefault(text, len(places)) for text in normalized]
    joined = DisjointSet(range(len(places)))
    _join_similar(list(places), joined)
    first: dict[str, int] = {}
    for name, node in zip(groups or [""] * len(nodes), nodes, strict=True):
        if name:
            joined.merge(first.setdefault(name, node), node)
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(joined[node], len(numbers)) for node in nodes], np.int64)


def _shingles(text: str) -> set[str]:
    return {text[i : i + SHINGLE] for i in range(max(1, len(text) - SHINGLE + 1))}


def _similar(one: set[str], other: set[str]) -> bool:
    shared = len(one & other)
    return shared >= JACCARD * (len(one) + len(other) - shared)


def _make_index() -> "MinHashLSH":
    from datasketch import MinHashLSH

    return MinHashLSH(threshold=CANDIDATE_JACCARD, num_perm=PERMUTATIONS)


def _sketch(shingles: list[set[str]]) -> Iterator["MinHash"]:
    from datasketch import MinHash

    hashes = ([crc32(s.encode()) for s in of_text] for of_text in shingles)
    return MinHash.generator(hashes, num_perm=PERMUTATIONS, hashfunc=int, seed=1)


class NearCopies:
    """Finds near-copies of given texts: what `group_texts` would put directly beside one."""

    def __init__(self, texts: Sequence[str]):
        """Sketches the texts that copies are looked for of."""
        self._known = dict.fromkeys(normalize(text) for text in texts)
        self._shingles = [_shingles(text) for text in self._known]
        self._index = _make_index()
        for place, sketch in enumerate(_sketch(self._shingles)):
            self._index.insert(place, sketch)

    def find(self, texts: Sequence[str]) -> np.ndarray:
        """Whether each of n texts is a near-copy: bool [n]."""
        normalized = [normalize(text) for text in texts]
        shingles = [_shingles(text) for text in normalized]
        found = [
            text in self._known
            or any(_similar(of_text, self._shingles[i]) for i in self._index.query(sketch))
            for text, of_text, sketch in zip(normalized, shingles, _sketch(shingles), strict=True)
        ]
        return np.array(found, dtype=bool)


def _join_similar(texts: list[str], joined: DisjointSet) -> None:
    """Joins the places of similar texts; each text is compared with earlier ones."""
    index = _make_index()
    shingles = [_shingles(text) for text in texts]
    for place, sketch in enumerate(_sketch(shingles)):
        candidates = index.query(sketch)
        for other in candidates:
            if not joined.connected(place, other) and _similar(shingles[place], shingles[other]):
                joined.merge(place, other)
        if len(candidates) < CROWD:
            index.insert(place, sketch)
