"""What each word of a text adds to the logits of a linear model, exactly.

The logits are a sum over the n-grams of a text. An n-gram is in one word, with the space before it
and the one behind it; only a pair of words is in two, and each gets half of it.
"""

import re
from collections.abc import Sequence

import numpy as np

from kerasclf.linear.model import LinearModel
from kerasclf.linear.ngrams import KINDS

LETTER = re.compile(rb"[0-9A-Za-z\x80-\xff]")
"""What a word of the n-grams has: a span of punctuation alone has none, and is in no pair."""

Spans = Sequence[tuple[int, int]]
"""Start and end of parts of a text, which consist of words and the spaces behind them."""


def contribute(
    model: LinearModel, texts: Sequence[str], spans: Sequence[Spans]
) -> list[np.ndarray]:
    """Splits the logits of n texts into what their words add.

    Args:
        model: a linear model.
        texts: n strings.
        spans: for each text, the m spans that all of its words are in.

    Returns:
        For each text float64 [m, num_classes], whose sum is its logits less the bias.
    """
    # Texts, and the number of their bytes that are read.
    pieces: list[tuple[str, int]] = []
    pairs: list[tuple[str, int]] = []
    # Positions in `pieces` of the two spans of each pair.
    joints: list[tuple[int, int]] = []
    for text, of_text in zip(texts, spans, strict=True):
        before: int | None = None
        for start, end in of_text:
            # A text is read up to `max_bytes`, and so is each of its spans.
            limit = max(0, model.max_bytes - _count_bytes(text[:start]))
            piece = text[start:end]
            if LETTER.search(piece.encode("utf-8", "replace")[:limit]):
                if before is not None:
                    first = pieces[before][0]
                    joints.append((before, len(pieces)))
                    pairs.append((first + piece, _count_bytes(first) + limit))
                before = len(pieces)
            pieces.append((piece, limit))
    sums = _sum(model, pieces)
    totals = np.array(sums)
    if joints:
        first, second = np.array(joints).T
        of_pairs = _sum(model, pairs) - sums[first] - sums[second]
        for side in (first, second):
            np.add.at(totals, side, of_pairs / 2)
    found, position = [], 0
    for of_text in spans:
        of_words = totals[position : position + len(of_text)]
        position += len(of_text)
        norms = np.sqrt(np.maximum(of_words[:, :, -1].sum(axis=0), 1.0))
        found.append((of_words[:, :, :-1] / norms[:, None]).sum(axis=1))
    return found


def _sum(model: LinearModel, pieces: Sequence[tuple[str, int]]) -> np.ndarray:
    """Sums over the n-grams of n strings, each read up to a limit.

    Returns:
        float64 [n, kinds, num_classes + 1], of their weights and, last, of their squared idf.
    """
    table = np.column_stack([model.weights, model.idf**2]).astype(np.float64)
    limits = np.array([limit for _, limit in pieces], dtype=np.int64)
    lengths = np.array([_count_bytes(text) for text, _ in pieces], dtype=np.int64)
    found = np.zeros((len(pieces), len(KINDS), table.shape[1]))
    # Nearly all are read to their end, with the space that follows it.
    limits = np.minimum(limits, lengths + 1)
    is_whole = limits > lengths
    groups = [np.flatnonzero(is_whole), *np.flatnonzero(~is_whole & (limits > 0))[:, None]]
    for rows in groups:
        if not len(rows):
            continue
        kinds = model.count([pieces[row][0] for row in rows], int(limits[rows].max()))
        for kind, counts in enumerate(kinds):
            found[rows, kind] = counts @ table
    return found


def _count_bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
