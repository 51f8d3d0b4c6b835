"""Temperature scaling: one number that calibrates probabilities."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BOUNDS = (0.05, 20.0)


def fit_temperature(logits: np.ndarray, class_ids: np.ndarray) -> float:
    """The temperature T for which softmax(logits / T) has the lowest log loss.

    Guo et al., On Calibration of Modern Neural Networks, 2017, https://arxiv.org/abs/1706.04599.

    Args:
        logits: float [n, num_classes].
        class_ids: int64 [n].

    Returns:
        T between 0.05 and 20; above 1 where the model was overconfident.
    """
    rows = np.arange(len(class_ids))

    def log_loss(log_temperature: float) -> float:
        scaled = log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)
        return -float(scaled[rows, class_ids].mean())

    minimum = minimize_scalar(log_loss, bounds=np.log(BOUNDS), method="bounded")
    return float(np.exp(minimum.x))
