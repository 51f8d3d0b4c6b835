"""One weight a class, against imbalance."""

from pathlib import Path

import numpy as np

from kerasclf.errors import UserError
from kerasclf.files import read_json

EFFECTIVE_BETA = 0.999


def balanced(counts: np.ndarray) -> np.ndarray:
    """Weights by inverse frequency, n / (classes * count): counts 100 and 50 give 0.75 and 1.5.

    Args:
        counts: int [classes], rows of each class, all positive.

    Returns:
        float64 [classes]; the mean weight of a row is 1.
    """
    return counts.sum() / (len(counts) * counts)


def effective(counts: np.ndarray, beta: float = EFFECTIVE_BETA) -> np.ndarray:
    """Weights by the inverse effective number of rows, (1 - beta) / (1 - beta^count).

    Each further row of a class adds less (Cui et al., Class-Balanced Loss Based on Effective
    Number of Samples, 2019, https://arxiv.org/abs/1901.05555). Between no weights (beta 0) and
    balanced ones (beta near 1).

    Args:
        counts: int [classes], rows of each class, all positive.
        beta: 0 to under 1.

    Returns:
        float64 [classes], scaled so that the mean weight of a row is 1.
    """
    weights = (1 - beta) / (1 - np.power(beta, counts))
    return weights * counts.sum() / (weights * counts).sum()


def class_weights(choice: str, counts: np.ndarray, labels: tuple[str, ...]) -> list[float] | None:
    """The weights that `--class-weights` names.

    Args:
        choice: none, balanced, effective, or a JSON file {label: weight}.
        counts: int [classes], training rows of each class.
        labels: class names.

    Returns:
        A weight a class, or None.

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
    found = read_json(path)
    if not isinstance(found, dict) or set(found) != set(labels):
        raise UserError(f"{path} must give a weight for each of {', '.join(labels)}")
    weights = [found[label] for label in labels]
    if not all(isinstance(w, int | float) and 0 < w < float("inf") for w in weights):
        raise UserError(f"{path} has weights {weights}; expected positive numbers")
    return [float(w) for w in weights]
