"""Texts and predictions of every classifier, whatever computes them; imports no TensorFlow."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from kerasclf.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


class Predictor(Protocol):
    """Whatever labels texts."""

    def predict(self, texts: Iterable[str]) -> "pd.DataFrame":
        """Labels n texts; returns the frame of `Classifier.predict`."""
        ...


def name_columns(labels: Iterable[str]) -> list[str]:
    """Names of the columns of `Classifier.predict`.

    >>> name_columns(["a", "b"])
    ['predicted_label', 'confidence', 'review', 'p_a', 'p_b']
    """
    return ["predicted_label", "confidence", "review", *(f"p_{label}" for label in labels)]


def check_names_are_free(
    table: str, names: Iterable[str], added: Iterable[str], example: str = "--prefix model_"
) -> None:
    """Checks that a table has none of the columns that are to be added to it.

    Args:
        table: what to call the table in the message.
        names: its columns.
        added: names of the columns to add.
        example: how to give them a prefix.

    Raises:
        UserError: it has one of them.
    """
    if taken := sorted(set(names) & set(added)):
        raise UserError(
            f"{table} already has {', '.join(map(repr, taken))}, as added columns would be called; "
            f"give a prefix for their names, such as {example}"
        )


def check_texts(texts: Iterable[str]) -> list[str]:
    """The texts as a list.

    Raises:
        TypeError: they are a single string, a table or no iterable, or one of them is not a string.
    """
    is_table = isinstance(texts, Mapping) or hasattr(texts, "columns")
    if isinstance(texts, str | bytes) or is_table or not isinstance(texts, Iterable):
        example = [texts[:40]] if isinstance(texts, str | bytes) else ["a text"]
        raise TypeError(
            f"texts is a {type(texts).__name__}; expected a list of strings, such as {example!r}"
        )
    listed = list(texts)
    for position, text in enumerate(listed):
        if not isinstance(text, str):
            raise TypeError(
                f"texts[{position}] is {str(text)[:40]} of type {type(text).__name__}; expected a "
                "string: leave out missing texts"
            )
    return listed


def describe_decisions(
    labels: Sequence[str], decided: np.ndarray, probabilities: np.ndarray, review: np.ndarray
) -> "pd.DataFrame":
    """Builds the frame of `Classifier.predict`.

    Args:
        labels: label names by class id.
        decided: int64 [n], decided class ids.
        probabilities: float64 [n, num_classes], calibrated.
        review: bool [n], whether a person should review it.
    """
    import pandas as pd

    frame = pd.DataFrame(
        {
            "predicted_label": np.array(labels, dtype=object)[decided],
            "confidence": probabilities[np.arange(len(decided)), decided],
            "review": review,
        }
    )
    columns = [f"p_{label}" for label in labels]
    return frame.join(pd.DataFrame(probabilities, columns=columns))
