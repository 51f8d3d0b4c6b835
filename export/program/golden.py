"""The parity check: every exported form of a model must agree with Keras on the golden texts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from kerasclf.errors import UserError

if TYPE_CHECKING:
    from kerasclf.classifier import KerasClassifier

GOLDEN_TEXTS = (
    "",
    " ",
    "Selamat pagi, apa kabar?",
    "SELAMAT PAGI, APA KABAR?",
    "kamu bodoh sekali 😡🤬",
    "👩‍👩‍👧‍👦🇮🇩",
    "a\0b",
    "\0\0",
    "Привет, 你好 and مرحبا",
    "ꦱꦸꦒꦼꦁ ꦫꦮꦸꦃ",
    "é = e\u0301",
    "x" * 5000,
    "kata " * 400,
    "😀" * 300,
)


class GateError(UserError):
    """An exported file that must not be kept; the message says why."""


class ParityError(GateError):
    """An exported file whose predictions differ from those of its Keras model."""


def check_golden(
    predict_proba: Callable[[list[str]], np.ndarray],
    classifier: "KerasClassifier",
    tolerance: float,
) -> float:
    """Checks that an exported file has the probabilities of its Keras model on the golden texts.

    Args:
        predict_proba: probabilities of the file, float [n, num_classes], for a list of n texts.
        classifier: the Keras model that the file was made from.
        tolerance: largest difference of a probability that counts as equal.

    Returns:
        The largest difference.

    Raises:
        ParityError: the difference is above the tolerance, or is not a number.
    """
    texts = list(GOLDEN_TEXTS)
    differences = np.abs(predict_proba(texts) - classifier.predict_proba(texts)).max(axis=1)
    worst = int(np.argmax(differences))  # the first NaN, if there is one
    difference = float(differences[worst])
    if not difference <= tolerance:
        raise ParityError(
            f"probabilities differ from Keras by {difference:.3g} on {texts[worst][:40]!r}; "
            f"expected at most {tolerance:g}"
        )
    return difference
