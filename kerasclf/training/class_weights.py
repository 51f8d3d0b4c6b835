"""Class weights for imbalanced data."""

from pathlib import Path

import numpy as np

from kerasclf.errors import UserError
from kerasclf.files import read_json

EFFECTIVE_BETA = 0.999


def balanced(counts: np.ndarray) -> np.ndarray:
    """Computes weights by inverse frequency, n / (num_classes * count).

    Example:

        >>> balanced(np.array([100, 50])).tolist()
        [0.75, 1.5]

    Args:
        counts: int [num_classes], positive number of rows of each class.

    Returns:
        float64 [num_classes]; the mean weight of a row is 1.
    """
    return counts.sum() / (len(counts) * counts)


def effective(counts: np.ndarray, beta: float = EFFECTIVE_BETA) -> np.ndarray:
    """Computes weights by the inverse effective number of rows, (1 - beta) / (1 - beta^count).

    Each additional row of a class adds less (Cui et al., Class-Balanced Loss Based on Effective
    Number of Samples, 2019, https://arxiv.org/abs/1901.05555). Lies between no weights (beta 0) and
    balanced weights (beta near 1).

    Args:
        counts: int [num_classes], positive number of rows of each class.
        beta: in [0, 1).

    Returns:
        float64 [num_classes], scaled so that the mean weight of a row is 1.
    """
    weights = (1 - beta) / (1 - np.power(beta, counts))
    return weights * counts.sum() / (weights * counts).sum()


def class_weights(choice: str, counts: np.ndarray, labels: tuple[str, ...]) -> list[float] | None:
    """Computes or reads the weights that `--class-weights` selects.

    Args:
        choice: none, balanced, effective, or a JSON file {label: weight}.
        counts: int [num_classes], number of training rows of each class.
        labels: label names by class id.

    Returns:
        One weight per class, or None for no weights.

    Raises:
        UserError: the file is missing or does not give each class one positive weight.
    """
    if choice == "none":
        return None
    if choice == "balanced":
        return balanced(counts).tolist()
    if choice == "effective":
        return effective(counts).tolist()
    path = Path(choice)
    if not path.is_file():
        raise UserError(
            f"--class-weights is {choice!r}; expected none, balanced, effective or a JSON file"
        )
    by_label = read_json(path)
    if not isinstance(by_label, dict) or set(by_label) != set(labels):
        raise UserError(f"{path} must have one weight for each of {', '.join(labels)}")
    weights = [by_label[label] for label in labels]
    if not all(isinstance(w, int | float) and 0 < w < float("inf") for w in weights):
        raise UserError(f"{path} has weights {weights}; expected positive numbers")
    return [float(w) for w in weights]
