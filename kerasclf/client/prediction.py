"""Predictions of a served model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasclf.client.errors import AnswerError

OUTPUTS = ("label", "class_id", "probabilities", "review", "version")


@dataclass(frozen=True)
class Prediction:
    """The prediction for one text.

    Attributes:
        label: name of the label that the decision rule chose.
        class_id: its class id.
        probabilities: calibrated, by class id.
        review: whether the prediction is flagged for human review.
        version: version of the model.
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
        return [
            Prediction(
                label=str(row["label"]),
                class_id=int(row["class_id"]),
                probabilities=tuple(map(float, row["probabilities"])),
                review=bool(row["review"]),
                version=int(row["version"]),
            )
            for row in rows
        ]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise AnswerError(
            f"the model's outputs are not {', '.join(OUTPUTS)} ({type(error).__name__}: {error}); "
            "expected a model that kerasclf saved_model published"
        ) from error
