"""Weights of soft voting, fitted on rows that no member was trained on."""

import numpy as np

ITERATIONS = 10_000
TOLERANCE = 1e-9
MIN_WEIGHT = 0.01


def fit_weights(probabilities: np.ndarray) -> np.ndarray:
    """The weights of the members' probabilities for which their mean has the lowest log loss.

    Expectation-maximization for the weights of a mixture of known distributions (Dempster, Laird
    and Rubin, 1977): the loss is convex in the weights, so it converges to the minimum. A weight
    below 0.01 becomes 0, since it is not worth the member's latency.

    Args:
        probabilities: float [members, n], of each row's true class, positive.

    Returns:
        float64 [members], at least 0, of sum 1.
    """
    weights = np.full(len(probabilities), 1 / len(probabilities))
    for _ in range(ITERATIONS):
        joint = weights[:, None] * probabilities
        updated = (joint / joint.sum(axis=0)).mean(axis=1)
        change = np.abs(updated - weights).max()
        weights = updated
        if change < TOLERANCE:
            break
    weights = np.where(weights < MIN_WEIGHT, 0, weights)
    return weights / weights.sum()
