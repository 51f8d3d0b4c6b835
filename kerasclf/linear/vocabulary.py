"""A set of n-grams that is looked up with arithmetic and three gathers, without collisions."""

from dataclasses import dataclass
from typing import Self

import numpy as np

LOAD = 0.95
"""Share of the slots that are used."""
KEYS_PER_BUCKET = 3
FIRST_TRIED = 512
EMPTY = -1


@dataclass(frozen=True, eq=False)
class NgramVocabulary:
    """A perfect hash table from the ids of n-grams to slots.

    Hash and displace (Belazzougui, Botelho and Dietzfelbinger, Hash, Displace, and Compress, 2009):
    an id is in the bucket id mod b, and its slot is (id // b + displacements[bucket]) mod s. An id
    is in the vocabulary if `keys` has it at that slot.

    Attributes:
        keys: int32 [s], the id in each slot; -1 in an empty one.
        displacements: int32 [b], one per bucket, of which there are at least two.
    """

    keys: np.ndarray
    displacements: np.ndarray

    @property
    def size(self) -> int:
        """Number of slots, used or not."""
        return len(self.keys)

    def find(self, ids: np.ndarray) -> np.ndarray:
        """Looks up n-grams.

        Args:
            ids: int32 [...], ids of n-grams, at least 0.

        Returns:
            int64 [...], 1 + slot of each; 0 if it is not in the vocabulary.
        """
        buckets = len(self.displacements)
        ids = ids.astype(np.int64)
        slots = (ids // buckets + self.displacements[ids % buckets]) % self.size
        return np.where(self.keys[slots] == ids, slots + 1, 0)

    @classmethod
    def build(cls, ids: np.ndarray) -> Self:
        """Finds a table for n distinct ids.

        The buckets are placed from the largest to the smallest, each with the first displacement,
        in a random order, for which all of its slots are free. In ascending order, ids that are
        close would leave free slots in one block, where ids that are far apart do not fit.

        Args:
            ids: int32 [n], distinct and at least 0.
        """
        slots = max(1, int(np.ceil(len(ids) / LOAD)))
        # With two, a quotient and a displacement have a sum below 2^31.
        buckets = max(2, len(ids) // KEYS_PER_BUCKET)
        # Two ids of a bucket whose quotients are equal modulo `slots` fit with no displacement, and
        # then another number of buckets does.
        while (found := _place(ids.astype(np.int64), slots, buckets)) is None:
            buckets += 1
        return cls(*found)


def _place(ids: np.ndarray, slots: int, buckets: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Keys and displacements, or None if two ids of a bucket always share a slot."""
    home, place = ids % buckets, ids // buckets % slots
    if len(np.unique(home * slots + place)) < len(ids):
        return None
    order = np.argsort(home, kind="stable")
    counts = np.bincount(home, minlength=buckets)
    ends = np.cumsum(counts)
    free = np.ones(slots, dtype=bool)
    keys = np.full(slots, EMPTY, dtype=np.int32)
    displacements = np.zeros(buckets, dtype=np.int32)
    # Twice, so that it can be read from anywhere.
    shuffled = np.tile(np.random.default_rng(0).permutation(slots), 2)
    for bucket in np.argsort(-counts, kind="stable"):
        if not counts[bucket]:
            break
        members = order[ends[bucket] - counts[bucket] : ends[bucket]]
        places = place[members]
        displacement = _fit(places, free, shuffled)
        if displacement is None:
            return None
        displacements[bucket] = displacement
        taken = (places + displacement) % slots
        free[taken] = False
        keys[taken] = ids[members]
    return keys, displacements


def _fit(places: np.ndarray, free: np.ndarray, shuffled: np.ndarray) -> int | None:
    """A displacement that moves all places to free slots, or None if there is none.

    Args:
        places: int64 [m], of the ids of a bucket.
        free: bool [s], by slot.
        shuffled: int64 [2 s], the slots in random order, twice. The first place is moved to them.
    """
    start = int(places.sum()) % len(free)
    # Nearly always, one of the first few fits.
    for most in (FIRST_TRIED, len(free)):
        tried = shuffled[start : start + most]
        tried = (tried[free[tried]] - places[0]) % len(free)
        fits = free[(places + tried[:, None]) % len(free)].all(axis=1)
        if fits.any():
            return int(tried[np.argmax(fits)])
    return None
