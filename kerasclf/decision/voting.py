"""Weights of soft voting, fitted on rows that no member learned from."""

import numpy as np

ROUNDS = 10_000
CHANGE = 1e-9
SMALLEST = 0.01


def fit_weights(probabilities: np.ndarray) -> np.ndarray:
    """The weights for which the mean of the members' probabilities has the lowest log loss.

    Expectation-maximization for the shares of a mixture of known distributions (Dempster, Laird
    and Rubin, 1977): the loss is convex in the weights, so it ends at the lowest one. A weight
    below 0.01 becomes 0, since the member's time is not worth it.

    Args:
        probabilities: float [members, n], of each row's true class, positive.

    Returns:
        float64 [members], at least 0, of sum 1.
    """
    weights = np.full(len(probabilities), 1 / len(probabilities))
    for _ in range(ROUNDS):
        joint = weights[:, None] * probabilities
        updated = (joint / joint.sum(axis=0)).mean(axis=1)
        moved = np.abs(updated - weights).max()
        weights = updated
        if moved < CHANGE:
            break
    weights = np.where(weights < SMALLEST, 0, weights)
    return weights / weights.sum()
