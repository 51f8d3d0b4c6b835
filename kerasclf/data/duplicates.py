"""Near-duplicates: texts that are the same message, written a little differently."""

import unicodedata
from collections.abc import Sequence
from zlib import crc32

import numpy as np
from scipy.cluster.hierarchy import DisjointSet

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


def _join_similar(texts: list[str], joined: DisjointSet) -> None:
    """Joins the places of similar texts; each text is compared with earlier ones."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=CANDIDATE_JACCARD, num_perm=PERMUTATIONS)
    shingles = [_shingles(text) for text in texts]
    sketches = MinHash.generator(
        ([crc32(s.encode()) for s in of_text] for of_text in shingles),
        num_perm=PERMUTATIONS,
        hashfunc=int,
        seed=1,
    )
    for place, sketch in enumerate(sketches):
        candidates = index.query(sketch)
        for other in candidates:
            if joined.connected(place, other):
                continue
            shared = len(shingles[place] & shingles[other])
            if shared >= JACCARD * (len(shingles[place]) + len(shingles[other]) - shared):
                joined.merge(place, other)
        if len(candidates) < CROWD:
            index.insert(place, sketch)
