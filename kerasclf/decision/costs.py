"""Cost matrices: what each kind of mistake costs."""

from pathlib import Path

import numpy as np

from kerasclf.errors import UserError
from kerasclf.files import read_json


def read_costs(path: Path, labels: tuple[str, ...]) -> np.ndarray:
    """Reads a cost matrix, JSON {true label: {predicted label: cost}}; absent costs are 0.

    Returns:
        float64 [classes, classes], [true][predicted].

    Raises:
        UserError: an unknown label, a cost that is no number of at least 0, or no cost at all.
    """
    found = read_json(path)
    costs = np.zeros((len(labels), len(labels)))
    rows = found.items() if isinstance(found, dict) else [("", None)]
    for truth, row in rows:
        if truth not in labels or not isinstance(row, dict) or not set(row) <= set(labels):
            raise UserError(
                f"{path} does not fit: expected {{true label: {{predicted label: cost}}}} with "
                f"the labels {', '.join(labels)}, found {truth!r}: {row!r}"
            )
        for predicted, cost in row.items():
            if not isinstance(cost, int | float) or not 0 <= cost < float("inf"):
                raise UserError(f"{path} has the cost {cost!r}; expected a number of at least 0")
            costs[labels.index(truth), labels.index(predicted)] = cost
    if not costs.any():
        raise UserError(f"{path} has no cost above 0; expected at least one")
    return costs
