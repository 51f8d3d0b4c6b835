"""The worst errors of a report, with what each word contributed."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerasclf.explanation.words import Parts, explain

MARKED, WEAK = 6, 0.1
"""Words of a text that are marked at most, and the contribution below which none is."""


def explain_errors(
    errors: list[dict[str, Any]],
    predict: Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray, np.ndarray]],
    parts: Parts,
    labels: Sequence[str],
) -> None:
    """Adds "words" to errors: start, end and contribution of the words that matter most.

    A text that is shown in part, and would get another label so, has none.

    Args:
        errors: with "text" and "predicted_label".
        predict: as in `explain`.
        parts: as in `explain`.
        labels: label names by class id.
    """
    found = explain(predict, parts, labels, [error["text"] for error in errors])
    for error, explanation in zip(errors, found, strict=True):
        error["words"] = [
            [word.start, word.end, round(word.contribution, 4)]
            for word in sorted(explanation.strongest(MARKED), key=lambda word: word.start)
            if explanation.label == error["predicted_label"] and abs(word.contribution) >= WEAK
        ]


def mark_words(error: dict[str, Any]) -> list[tuple[str, float]]:
    """The text of an error in pieces, each with its contribution; 0 for unmarked ones.

    >>> mark_words({"text": "a bad day", "words": [[2, 6, 0.5]]})
    [('a ', 0.0), ('bad ', 0.5), ('day', 0.0)]
    """
    text, pieces, position = error["text"], [], 0
    for start, end, contribution in error.get("words", []):
        pieces += [(text[position:start], 0.0), (text[start:end], contribution)]
        position = end
    pieces.append((text[position:], 0.0))
    return [piece for piece in pieces if piece[0]]
