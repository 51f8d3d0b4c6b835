"""Which words of a text speak for its label, and which against it.

The score of a label is its logit less the mean of the other labels' logits, after calibration; of
two labels, it is the logarithm of the odds. A word's contribution to the score of the decided label
is

- exact for the linear part, whose logits are a sum over words (see `kerasclf.explanation.linear`);
- for the network, the score less that of the text without the word ("leave one out", Li, Monroe and
  Jurafsky, 2016, https://arxiv.org/abs/1612.08220).

Where both vote, each counts by its share in the probability of the label.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kerasclf.linear.model import LinearModel

WORD = re.compile(r"[^\0\t\n\v\f\r ]+")
"""What is between white space, as encoders and n-grams know it."""
MOST_WORDS = 100
"""Words of a text that are explained one by one; in longer texts, several together."""
LEAST = 1e-30
"""Probabilities below count as this, so that their logarithms are finite."""


@dataclass(frozen=True)
class Parts:
    """What computes the logits of a classifier.

    Attributes:
        network: logits of n strings, float [n, num_classes], calibrated where a linear part is
            joined to it; None if there is no network. Any classifier is one.
        linear: the linear part, or None.
        weights: weights of both votes, network first; used only if there are both.
        linear_temperature: by which the logits of the linear part are divided.
        temperature: by which the logits of the whole model are divided.
    """

    network: Callable[[Sequence[str]], np.ndarray] | None = None
    linear: "LinearModel | None" = None
    weights: tuple[float, float] = (0.5, 0.5)
    linear_temperature: float = 1.0
    temperature: float = 1.0


@dataclass(frozen=True)
class Word:
    """A word of a text, and what it adds to the score of the label.

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
    parts: Parts,
    labels: Sequence[str],
    texts: Iterable[str],
) -> list[Explanation]:
    """Explains n texts, all at once.

    Args:
        predict: `Classifier.run_on` or the like.
        parts: network and linear part, at least one of them.
        labels: label names by class id.
        texts: n strings.
    """
    listed = list(texts)
    spans = [_find_spans(text) for text in listed]
    if not listed:
        return []
    decided, _, probabilities = predict(listed)
    contributions = _contribute(parts, listed, spans, decided)
    explanations = []
    for number, (text, of_text, values) in enumerate(
        zip(listed, spans, contributions, strict=True)
    ):
        words = tuple(
            Word(start, end, text[start:end].strip(), value)
            for (start, end), value in zip(of_text, values.tolist(), strict=True)
        )
        class_id = int(decided[number])
        probability = float(probabilities[number, class_id])
        explanations.append(Explanation(text, labels[class_id], probability, words))
    return explanations


def _contribute(
    parts: Parts, texts: list[str], spans: list[list[tuple[int, int]]], class_ids: np.ndarray
) -> list[np.ndarray]:
    """Contributions of the words of each text, float64 [m]."""
    of_network, of_linear = [], []
    # Logarithms of the vote of each part for the label, float64 [n].
    network_votes = linear_votes = np.zeros(len(texts))
    if parts.network is not None:
        shortened = [
            text[:start] + text[end:]
            for text, of_text in zip(texts, spans, strict=True)
            for start, end in of_text
        ]
        logits = np.asarray(parts.network([*texts, *shortened]), dtype=np.float64)
        network_votes = _log_vote(logits[: len(texts)], class_ids, parts.weights[0])
        first = len(texts)
        for number, of_text in enumerate(spans):
            last = first + len(of_text)
            whole, without = (
                _score(values, class_ids[number]) for values in (logits[number], logits[first:last])
            )
            of_network.append(whole - without)
            first = last
    if parts.linear is not None:
        from kerasclf.explanation.linear import contribute

        logits = parts.linear.logits(texts).astype(np.float64) / parts.linear_temperature
        linear_votes = _log_vote(logits, class_ids, parts.weights[1])
        of_linear = [
            _score(values / parts.linear_temperature, class_id)
            for values, class_id in zip(
                contribute(parts.linear, texts, spans), class_ids, strict=True
            )
        ]
    if not of_linear or not of_network:
        return [values / parts.temperature for values in of_network or of_linear]
    shares = 1 / (1 + np.exp(linear_votes - network_votes))
    return [
        (share * network + (1 - share) * linear) / parts.temperature
        for share, network, linear in zip(shares, of_network, of_linear, strict=True)
    ]


def _score(logits: np.ndarray, class_id: int) -> np.ndarray:
    """The logit of a class less the mean of the others, float64 [...], of [..., num_classes]."""
    others = np.delete(logits, class_id, axis=-1)
    return logits[..., class_id] - others.mean(axis=-1)


def _log_vote(logits: np.ndarray, class_ids: np.ndarray, weight: float) -> np.ndarray:
    """Logarithm of the weighted probability of one class for each of n rows, float64 [n]."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(class_ids)), class_ids]
    return np.log(weight) + chosen - np.log(np.exp(shifted).sum(axis=1))


def _find_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word, with the spaces behind it; of a few together in a long text.

    >>> _find_spans("a  bc")
    [(0, 3), (3, 5)]
    """
    starts = [match.start() for match in WORD.finditer(text)]
    starts = starts[:: -(-len(starts) // MOST_WORDS) or 1]
    return list(itertools.pairwise([*starts, len(text)]))
