"""The last part of the seam: a decision turns logits into a probability, a label and a flag."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy.special import log_softmax

from kerasclf.decision.offsets import cross_fitted_gain, fit_offsets
from kerasclf.decision.temperature import fit_temperature
from kerasclf.files import read_json, write_json


@dataclass(frozen=True)
class Decision:
    """How logits become a label.

    Probabilities are softmax(logits / temperature). The label is argmax(log p + offsets), or with
    a cost matrix the one of lowest expected cost, argmin(p @ costs). A prediction is flagged for
    review if the probability of its label is below `review_below`.

    Attributes:
        temperature: positive.
        offsets: one a class; zeros are plain argmax.
        costs: cost [true class][predicted class], or None.
        review_below: probability, or None for no review.
    """

    temperature: float
    offsets: tuple[float, ...]
    costs: tuple[tuple[float, ...], ...] | None = None
    review_below: float | None = None

    def log_probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated log-probabilities, float64 [n, classes], of logits [n, classes]."""
        return log_softmax(logits.astype(np.float64) / self.temperature, axis=1)

    def decide(self, logits: np.ndarray) -> np.ndarray:
        """Class ids, int64 [n], of logits [n, classes]."""
        log_probabilities = self.log_probabilities(logits)
        if self.costs is not None:
            return (np.exp(log_probabilities) @ np.array(self.costs)).argmin(axis=1)
        return (log_probabilities + np.array(self.offsets)).argmax(axis=1)

    def flag(self, logits: np.ndarray, decided: np.ndarray) -> np.ndarray:
        """Whether a person should review, bool [n], given logits and the decided class ids."""
        confidence = np.exp(self.log_probabilities(logits))[np.arange(len(decided)), decided]
        return confidence < (self.review_below or 0.0)

    def save(self, path: Path) -> None:
        """Writes the decision as JSON."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote."""
        found = read_json(path)
        costs = found["costs"]
        return cls(
            found["temperature"],
            tuple(found["offsets"]),
            None if costs is None else tuple(map(tuple, costs)),
            found["review_below"],
        )


def fit_decision(
    logits: np.ndarray,
    labels: np.ndarray,
    costs: np.ndarray | None,
    review_below: float | None,
    seed: int,
) -> tuple[Decision, dict[str, Any]]:
    """Fits temperature and offsets on validation rows.

    Offsets are kept only if cross-fitting within these rows says that they help, by more than one
    standard error: with few rows of a class, a smaller gain is as often a loss on other rows.

    Args:
        logits: float [n, classes].
        labels: int [n], class ids.
        costs: float [classes, classes], cost of [true][predicted]; takes the place of offsets.
        review_below: probability under which a prediction is flagged, or None.
        seed: of the folds of the cross-fitting.

    Returns:
        The decision, and what was found: the rule's kind, the cross-fitted gain in macro-F1 and
        its standard error.
    """
    temperature = fit_temperature(logits, labels)
    log_probabilities = log_softmax(logits.astype(np.float64) / temperature, axis=1)
    offsets = np.zeros(logits.shape[1])
    found: dict[str, Any] = {
        "rule": "argmax",
        "cross_fitted_gain": None,
        "cross_fitted_error": None,
    }
    if costs is not None:
        found["rule"] = "costs"
    else:
        gain, error = cross_fitted_gain(log_probabilities, labels, seed)
        if np.isfinite(gain):
            found |= {"cross_fitted_gain": gain, "cross_fitted_error": error}
        if gain > error:
            found["rule"] = "offsets"
            offsets = fit_offsets(log_probabilities, labels)
    plain = None if costs is None else tuple(map(tuple, costs.tolist()))
    return Decision(temperature, tuple(offsets.tolist()), plain, review_below), found
