"""Cost matrices: what each kind of error costs."""

from pathlib import Path

import numpy as np

from kerasclf.errors import UserError
from kerasclf.files import read_json


def read_costs(path: Path, labels: tuple[str, ...]) -> np.ndarray:
    """Reads a cost matrix, JSON {true label: {predicted label: cost}}; absent costs are 0.

    Returns:
        float64 [num_classes, num_classes], [true][predicted].

    Raises:
        UserError: an unknown label, a cost that is not a number of at least 0, or no cost above 0.
    """
    content = read_json(path)
    costs = np.zeros((len(labels), len(labels)))
    rows = content.items() if isinstance(content, dict) else [("", None)]
    for true_label, row in rows:
        if true_label not in labels or not isinstance(row, dict) or not set(row) <= set(labels):
            raise UserError(
                f"{path} is not a cost matrix for this data: expected {{true label: {{predicted "
                f"label: cost}}}} with the labels {', '.join(labels)}, "
                f"found {true_label!r}: {row!r}"
            )
        for predicted_label, cost in row.items():
            if not isinstance(cost, int | float) or not 0 <= cost < float("inf"):
                raise UserError(f"{path} has the cost {cost!r}; expected a number of at least 0")
            costs[labels.index(true_label), labels.index(predicted_label)] = cost
    if not costs.any():
        raise UserError(f"{path} has no cost above 0; expected at least one")
    return costs
