"""Hashed n-grams of UTF-8 bytes: character n-grams within words, words, and pairs of words.

A text is read as bytes. ASCII letters are lowercased, and white space and NUL are spaces. The
n-grams are of two kinds:

- characters: 1 to 5 bytes without a space between the first and the last byte; a word has
  a space before it and after it, also at the ends of the text;
- words: runs of ASCII letters, digits and bytes from 128 on; and pairs of words that follow each
  other.

Every n-gram has an id from 0 to 2^31 - 1. With `CODES[b, k]` a random number from 0 to 2^27 - 1,

    id of characters = sum of CODES[b, k] over its bytes, b being the k-th from its end

(tabulation hashing: Zobrist 1970; Patrascu and Thorup, The Power of Simple Tabulation Hashing,
2012, https://arxiv.org/abs/1011.5200). The id of a word is the sum over its bytes of the id, modulo
2^22 - 3, of the longest n-gram within the word that ends at the byte. The id of a pair is
10^9 + 257 * second + first of the ids of both words, modulo 2^22 - 3. About one in ten thousand
n-grams shares its id with another.

`hash_ngrams` computes ids with numpy, for training; `NgramFeaturizer` computes the same in the
graph. Both leave it to the vocabulary to know which of the ids are n-grams.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

KINDS = ("characters", "words")
ORDERS = 5
"""Bytes of the longest character n-gram."""
MODULUS = 2**22 - 3
"""Prime; 10^9 + 258 * MODULUS < 2^31, and so is the sum over a word of at most 511 bytes."""
PAIR, PAIR_OFFSET = 257, 10**9
"""The offset keeps apart a word and a pair of which one word is missing, whose sum is 0."""
SPACE = 32


def _make_codes() -> np.ndarray:
    """Random codes from a fixed stream: they are part of the definition of an id."""
    stream = hashlib.shake_256(b"kerasclf n-grams").digest(256 * ORDERS * 4)
    codes = (np.frombuffer(stream, "<u4") >> 5).astype(np.int32).reshape(256, ORDERS)
    read_as = np.arange(256)
    read_as[ord("A") : ord("Z") + 1] += ord("a") - ord("A")
    read_as[[0, *b"\t\n\v\f\r"]] = SPACE
    return codes[read_as]


CODES = _make_codes()
"""int32 [256, ORDERS], by byte and its place from the end of an n-gram."""
IS_SPACE = np.isin(np.arange(256), [0, *b"\t\n\v\f\r "])
"""bool [256]."""
IS_WORD = np.array([byte >= 128 or chr(byte).isalnum() for byte in range(256)])
"""bool [256], whether a byte is part of a word."""


def hash_ngrams(texts: Sequence[str], max_bytes: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Computes the ids of all n-grams of texts.

    Args:
        texts: n strings.
        max_bytes: UTF-8 bytes of a text that are read.

    Returns:
        By kind: int64 [m], position of the text of each n-gram; and int32 [m], their ids. An n-gram
        that occurs several times in a text is there several times.
    """
    encoded = [text.encode("utf-8", "replace")[:max_bytes] for text in texts]
    gap = bytes(ORDERS)
    raw = np.frombuffer(gap + b"".join(text + gap for text in encoded), np.uint8)
    lengths = np.array([len(text) for text in encoded], dtype=np.int64)
    blocks = lengths + ORDERS
    text_of = np.repeat(np.arange(len(encoded)), blocks)
    within = np.arange(len(text_of)) - np.repeat(np.cumsum(blocks) - blocks, blocks)
    # A space follows a text that leaves room for it.
    is_read = within < np.repeat(np.minimum(lengths + 1, max_bytes), blocks)

    def back(values: np.ndarray, k: int) -> np.ndarray:
        """The value k bytes before each position."""
        return values[ORDERS - k : len(values) - k]

    is_space, is_word = IS_SPACE[raw], IS_WORD[raw]
    hashed, window = np.zeros((2, len(text_of)), dtype=np.int64)
    spaces_inside = np.zeros(len(text_of), dtype=bool)
    in_run = np.ones(len(text_of), dtype=bool)
    rows, ids = [], []
    for k in range(ORDERS):
        codes = back(CODES[:, k][raw], k)
        hashed = hashed + codes
        in_run = in_run & back(is_word, k)
        window = window + codes * in_run
        if k > 1:
            spaces_inside = spaces_inside | back(is_space, k - 1)
        only_spaces = back(is_space, 0) & back(is_space, k)
        left_out = spaces_inside | only_spaces if k < 2 else spaces_inside
        found = np.flatnonzero(is_read & ~left_out)
        rows.append(text_of[found])
        ids.append(hashed[found])
    characters = np.concatenate(rows), np.concatenate(ids).astype(np.int32)

    rows, ids = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
    letters = is_read & back(is_word, 0)
    first = np.flatnonzero(letters & ~back(is_word, 1))
    if len(first):
        # Sums wrap as they do in the graph.
        words = np.add.reduceat(np.where(letters, window % MODULUS, 0), first).astype(np.int32)
        short = words.astype(np.int64) % MODULUS
        text_of_word = text_of[first]
        second = np.flatnonzero(text_of_word[1:] == text_of_word[:-1]) + 1
        rows += [text_of_word, text_of_word[second]]
        ids += [words, PAIR * short[second] + short[second - 1] + PAIR_OFFSET]
    words_and_pairs = np.concatenate(rows), np.concatenate(ids).astype(np.int32)
    return dict(zip(KINDS, (characters, words_and_pairs), strict=True))
