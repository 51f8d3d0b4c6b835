"""The last pipeline stage: a decision turns logits into labels, probabilities and review flags."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
from scipy.special import log_softmax

from kerasclf.console import shorten
from kerasclf.decision.offsets import cross_fitted_gain, fit_offsets
from kerasclf.decision.temperature import fit_temperature
from kerasclf.errors import UserError
from kerasclf.files import as_damage, load_record, save_record


@dataclass(frozen=True)
class Decision:
    """How logits become a label.

    Probabilities are softmax(logits / temperature). The label is argmax(log p + offsets), or with
    a cost matrix the one of lowest expected cost, argmin(p @ costs). A prediction is flagged for
    review if the probability of its label is below `review_below`.

    Attributes:
        temperature: positive.
        offsets: one per class; zeros are plain argmax.
        costs: cost [true class][predicted class], or None.
        review_below: probability, or None for no review.
    """

    temperature: float
    offsets: tuple[float, ...]
    costs: tuple[tuple[float, ...], ...] | None = None
    review_below: float | None = None

    def log_probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated log-probabilities, float64 [n, num_classes], of logits [n, num_classes]."""
        return log_softmax(logits.astype(np.float64) / self.temperature, axis=1)

    def decide(self, logits: np.ndarray) -> np.ndarray:
        """Predicted class ids, int64 [n], of logits [n, num_classes]."""
        log_probabilities = self.log_probabilities(logits)
        if self.costs is not None:
            return (np.exp(log_probabilities) @ np.array(self.costs)).argmin(axis=1)
        return (log_probabilities + np.array(self.offsets)).argmax(axis=1)

    def flag(self, logits: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Whether a person should review, bool [n], given logits and the predicted class ids."""
        confidence = np.exp(self.log_probabilities(logits))[np.arange(len(predicted)), predicted]
        return confidence < (self.review_below or 0.0)

    def save(self, path: Path) -> None:
        """Writes the decision as JSON."""
        save_record(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            UserError: the file is missing, is not JSON, has a newer format, or a field is no number
                of its range.
        """
        record = load_record(path)
        with as_damage(path):
            costs = record["costs"]
            decision = cls(
                record["temperature"],
                tuple(record["offsets"]),
                None if costs is None else tuple(map(tuple, costs)),
                record["review_below"],
            )
        decision._check(path)
        return decision

    def _check(self, path: Path) -> None:
        """Checks what was read from a file.

        Raises:
            UserError: a field has a wrong value.
        """

        def fail(field: str, found: Any, expected: str) -> NoReturn:
            raise UserError(f"{path}: {field} is {shorten(repr(found), 100)}; expected {expected}")

        if not (_is_finite(self.temperature) and self.temperature > 0):
            fail("temperature", self.temperature, "a number above 0")
        if not all(map(_is_finite, self.offsets)):
            fail("offsets", self.offsets, "a finite number for each class")
        count, below = len(self.offsets), self.review_below
        if self.costs is not None and not (
            len(self.costs) == count
            and all(len(row) == count and all(map(_is_finite, row)) for row in self.costs)
        ):
            fail("costs", self.costs, f"{count} lists of {count} finite numbers")
        if below is not None and not (_is_finite(below) and 0 <= below <= 1):
            fail("review_below", below, "a number between 0 and 1, or null")


def _is_finite(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)  # type: ignore[arg-type]


def fit_decision(
    logits: np.ndarray,
    class_ids: np.ndarray,
    costs: np.ndarray | None,
    review_below: float | None,
    seed: int,
) -> tuple[Decision, dict[str, Any]]:
    """Fits temperature and offsets on validation rows.

    Offsets are used only if cross-fitting within these rows shows a gain of more than one standard
    error: with few rows of a class, a smaller gain is as often a loss on other rows.

    Args:
        logits: float [n, num_classes].
        class_ids: int64 [n].
        costs: float [num_classes, num_classes], cost of [true][predicted]; replaces offsets.
        review_below: probability under which a prediction is flagged, or None.
        seed: of the folds of the cross-fitting.

    Returns:
        The decision, and how it was chosen: "rule" (argmax, offsets or costs), "cross_fitted_gain"
        in macro-F1 and "cross_fitted_error", its standard error (both None if not estimated).
    """
    temperature = fit_temperature(logits, class_ids)
    log_probabilities = log_softmax(logits.astype(np.float64) / temperature, axis=1)
    offsets = np.zeros(logits.shape[1])
    choice: dict[str, Any] = {
        "rule": "argmax",
        "cross_fitted_gain": None,
        "cross_fitted_error": None,
    }
    if costs is not None:
        choice["rule"] = "costs"
    else:
        gain, error = cross_fitted_gain(log_probabilities, class_ids, seed)
        if np.isfinite(gain):
            choice |= {"cross_fitted_gain": gain, "cross_fitted_error": error}
        if gain > error:
            choice["rule"] = "offsets"
            offsets = fit_offsets(log_probabilities, class_ids)
    cost_rows = None if costs is None else tuple(map(tuple, costs.tolist()))
    return Decision(temperature, tuple(offsets.tolist()), cost_rows, review_below), choice
