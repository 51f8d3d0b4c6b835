"""MinHash with locality-sensitive hashing: texts that may be similar, without comparing all pairs.

Broder, On the resemblance and containment of documents, 1997; Leskovec, Rajaraman and Ullman,
Mining of Massive Datasets, chapter 3. Hash, permutations and bands are those of datasketch 2 with
64 permutations, seed 1 and the threshold 0.6, which earlier versions used: another choice would
find other pairs, and so change every split.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from zlib import crc32

import numpy as np

SHINGLE = 5
"""Characters of a shingle."""
BANDS, ROWS = 10, 6
"""Texts are candidates if all minima of a band are equal: with a Jaccard similarity s of their
shingles, 1 - (1 - s^6)^10 of the pairs, which is 0.952 for s = 0.8, and 0.991 for 0.85."""
PERMUTATIONS = 64
CHUNK_SHINGLES = 2**17
"""Shingles that are permuted at once."""


def hash_bands(texts: Sequence[str]) -> np.ndarray:
    """A number for each band of each text; candidates have one in common.

    Args:
        texts: n strings.

    Returns:
        uint64 [n, 10].
    """
    keys = np.empty((len(texts), BANDS), dtype=np.uint64)
    random = np.random.RandomState(1)
    # Odd factors: each permutes the numbers of 32 bits.
    factors = random.randint(0, 2**31, PERMUTATIONS, np.uint32) * np.uint32(2) + np.uint32(1)
    summands = random.randint(0, 2**32, PERMUTATIONS, np.uint32)
    for start, stop in _chunks(texts):
        pieces = [list_shingles(text) for text in texts[start:stop]]
        counts = np.array([len(piece) for piece in pieces], dtype=np.int64)
        encoded = map(str.encode, chain.from_iterable(pieces))
        hashes = _mix_32(np.fromiter(map(crc32, encoded), np.uint32, int(counts.sum())))
        starts = np.cumsum(counts) - counts
        for band in range(BANDS):
            key = np.zeros(stop - start, dtype=np.uint64)
            for i in range(band * ROWS, (band + 1) * ROWS):
                least = np.minimum.reduceat(hashes * factors[i] + summands[i], starts)
                key = mix(key ^ least)
            keys[start:stop, band] = key
    return keys


def list_shingles(text: str) -> list[str]:
    """All stretches of five characters; a shorter text is its own.

    >>> list_shingles("selamat")
    ['selam', 'elama', 'lamat']
    """
    return [text[i : i + SHINGLE] for i in range(max(1, len(text) - SHINGLE + 1))]


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yields where stretches of about `CHUNK_SHINGLES` characters start and stop."""
    start = size = 0
    for stop, text in enumerate(texts):
        if size and size + len(text) > CHUNK_SHINGLES:
            yield start, stop
            start, size = stop, 0
        size += max(len(text), 1)
    if size:
        yield start, len(texts)


def _mix_32(values: np.ndarray) -> np.ndarray:
    """A hash of each number, uint32 (the finalizer of MurmurHash3, Appleby, 2011)."""
    values = (values ^ (values >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    values = (values ^ (values >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))


def mix(values: np.ndarray) -> np.ndarray:
    """A hash of each number, uint64 (the finalizer of SplitMix64, Steele et al., 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
