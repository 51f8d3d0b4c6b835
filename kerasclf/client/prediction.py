"""What a served model says of a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasclf.client.errors import AnswerError

OUTPUTS = ("label", "class_id", "probabilities", "review", "version")


@dataclass(frozen=True)
class Prediction:
    """The decision about one text.

    Attributes:
        label: after the decision rule.
        class_id: place of that label among the run's labels.
        probabilities: calibrated, by class id.
        review: whether a person should look.
        version: of the model that answered.
    """

    label: str
    class_id: int
    probabilities: tuple[float, ...]
    review: bool
    version: int

    @property
    def confidence(self) -> float:
        """Calibrated probability of the label."""
        return self.probabilities[self.class_id]


def make_predictions(rows: Sequence[Mapping[str, Any]], expected: int) -> list[Prediction]:
    """Makes typed results of an answer's rows.

    Args:
        rows: values of OUTPUTS, a row a text.
        expected: number of texts that were sent.

    Raises:
        AnswerError: rows or values are missing, or of another type.
    """
    if len(rows) != expected:
        raise AnswerError(f"the server answered {len(rows)} texts, expected {expected}")
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
