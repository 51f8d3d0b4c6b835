"""Predictions of a served model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasclf.client.errors import AnswerError

OUTPUTS = ("label", "class_id", "probabilities", "review", "version")

SUM_TOLERANCE = 0.01
"""Of the sum of float32 probabilities."""


@dataclass(frozen=True)
class Prediction:
    """The prediction for one text.

    Attributes:
        label: name of the label that the decision rule chose.
        class_id: its class id.
        probabilities: calibrated, by class id.
        review: whether the prediction is flagged for human review.
        version: version of the model; 0 if the server does not number it.
    """

    label: str
    class_id: int
    probabilities: tuple[float, ...]
    review: bool
    version: int

    @property
    def confidence(self) -> float:
        """Calibrated probability of the predicted label."""
        return self.probabilities[self.class_id]


def make_predictions(rows: Sequence[Mapping[str, Any]], expected: int) -> list[Prediction]:
    """Converts the rows of a response to predictions.

    Args:
        rows: one mapping per text, with the names in OUTPUTS as keys.
        expected: number of texts that were sent.

    Raises:
        AnswerError: rows or values are missing, or have another type.
    """
    if len(rows) != expected:
        raise AnswerError(
            f"found {len(rows)} predictions in the response, expected {expected}; is the model one "
            "that kerasclf saved_model published?"
        )
    try:
        return [_make_prediction(row) for row in rows]
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise AnswerError(
            f"the model's outputs are not {', '.join(OUTPUTS)} ({type(error).__name__}: {error}); "
            "expected a model that kerasclf saved_model published"
        ) from error


def _make_prediction(row: Mapping[str, Any]) -> Prediction:
    prediction = Prediction(
        label=str(row["label"]),
        class_id=int(row["class_id"]),
        probabilities=tuple(map(float, row["probabilities"])),
        review=bool(row["review"]),
        version=int(row["version"]),
    )
    if not 0 <= prediction.class_id < len(prediction.probabilities):
        raise ValueError(
            f"class_id is {prediction.class_id} of {len(prediction.probabilities)} classes"
        )
    # Not a number is in no range.
    if not all(0 <= p <= 1 for p in prediction.probabilities):
        raise ValueError("a probability is not between 0 and 1")
    if abs(sum(prediction.probabilities) - 1) > SUM_TOLERANCE:
        raise ValueError(f"the probabilities sum to {sum(prediction.probabilities):.4g}")
    return prediction
