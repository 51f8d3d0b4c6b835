"""What each word of a text contributes to its label: the prediction with and without it.

A word's contribution is the log-odds of the decided label less those of the text without the word
("leave one out", Li, Monroe and Jurafsky, 2016, https://arxiv.org/abs/1612.08220). Log-odds, since
a model that is sure of a label stays sure without any one word. A contribution is that of the whole
model, of its linear part and its network together, after calibration.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

WORD = re.compile(r"\S+")
MOST_WORDS = 100
"""Words of a text that are left out one by one; in longer texts, several together."""
LEAST = 1e-7
"""Probabilities nearer to 0 or 1 count as this: LiteRT computes them in 32 bits."""


def logit(probabilities: np.ndarray) -> np.ndarray:
    """Log-odds; that of scipy would take longer to import than a text takes to explain."""
    return np.log(probabilities) - np.log1p(-probabilities)


@dataclass(frozen=True)
class Word:
    """A word of a text, and what it adds to the log-odds of the label.

    Attributes:
        start: position of its first character.
        end: position behind its last one.
        text: its characters, without the spaces around it.
        contribution: positive if the word speaks for the label.
    """

    start: int
    end: int
    text: str
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """A text, its label, and what each word contributed.

    Attributes:
        text: the text.
        label: the decided label.
        probability: its calibrated probability.
        words: in the order of the text.
    """

    text: str
    label: str
    probability: float
    words: tuple[Word, ...]

    def strongest(self, count: int) -> list[Word]:
        """The words with the largest contributions, for or against the label."""
        return sorted(self.words, key=lambda word: -abs(word.contribution))[:count]


def explain(
    predict: Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray, np.ndarray]],
    labels: Sequence[str],
    texts: Iterable[str],
) -> list[Explanation]:
    """Explains n texts.

    Args:
        predict: `Classifier.run_on` or the like.
        labels: label names by class id.
        texts: n strings.
    """
    listed = list(texts)
    spans = [_find_spans(text) for text in listed]
    shortened = [
        text[:start] + text[end:]
        for text, of_text in zip(listed, spans, strict=True)
        for start, end in of_text
    ]
    decided, _, probabilities = predict([*listed, *shortened])
    log_odds = logit(probabilities.clip(LEAST, 1 - LEAST))
    explanations, first = [], len(listed)
    for number, (text, of_text) in enumerate(zip(listed, spans, strict=True)):
        class_id = int(decided[number])
        without = log_odds[first : first + len(of_text), class_id]
        first += len(of_text)
        words = tuple(
            Word(start, end, text[start:end].strip(), float(log_odds[number, class_id] - value))
            for (start, end), value in zip(of_text, without, strict=True)
        )
        probability = float(probabilities[number, class_id])
        explanations.append(Explanation(text, labels[class_id], probability, words))
    return explanations


def _find_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word, with the spaces behind it; of a few together in a long text.

    >>> _find_spans("a  bc")
    [(0, 3), (3, 5)]
    """
    starts = [match.start() for match in WORD.finditer(text)]
    starts = starts[:: -(-len(starts) // MOST_WORDS) or 1]
    return list(itertools.pairwise([*starts, len(text)]))
