"""Measures of predictions, most of them from the confusion matrix alone."""

import numpy as np

ECE_BINS = 15


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts, float64 [classes, classes], true class by predicted class."""
    flat = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return flat.reshape(classes, classes).astype(np.float64)


def class_scores(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 of each class; 0 where nothing was predicted or nothing is there.

    Args:
        confusion: float [..., classes, classes].

    Returns:
        "precision", "recall", "f1" and "support", float [..., classes].
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    support, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    return {
        "precision": _ratio(hits, predicted),
        "recall": _ratio(hits, support),
        "f1": _ratio(2 * hits, support + predicted),
        "support": support,
    }


def summarize(confusion: np.ndarray, ordered: bool) -> dict[str, np.ndarray]:
    """Measures that follow from confusion matrices.

    Macro-F1 is the mean over the classes that occur, as true or as predicted: a resample that by
    chance lacks a rare class says nothing of it. Matthews correlation is that of Gorodkin (2004);
    quadratic kappa that of Cohen (1968) with weights (i - j)^2; off_by_two is the share of rows
    that are two or more levels off. The last two only for ordered labels.

    Args:
        confusion: float [..., classes, classes].
        ordered: whether the classes are ordered.

    Returns:
        Arrays [...] by name.
    """
    scores = class_scores(confusion)
    support, predicted = scores["support"], confusion.sum(axis=-2)
    total = support.sum(axis=-1)
    hits = np.trace(confusion, axis1=-2, axis2=-1)
    covariance = hits * total - (support * predicted).sum(axis=-1)
    spread = (total**2 - (support**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1))
    found = {
        "accuracy": hits / total,
        "macro_f1": _ratio(scores["f1"].sum(axis=-1), (support + predicted > 0).sum(axis=-1)),
        "weighted_f1": (scores["f1"] * support).sum(axis=-1) / total,
        "mcc": _ratio(covariance, np.sqrt(spread)),
    }
    if ordered:
        levels = np.arange(confusion.shape[-1])
        distance = np.abs(levels[:, None] - levels[None, :])
        chance = support[..., :, None] * predicted[..., None, :] / total[..., None, None]
        observed = (distance**2 * confusion).sum(axis=(-2, -1))
        found["quadratic_kappa"] = 1 - _ratio(observed, (distance**2 * chance).sum(axis=(-2, -1)))
        found["off_by_two"] = ((distance >= 2) * confusion).sum(axis=(-2, -1)) / total
    return found


def log_losses(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Log loss of each row, float64 [n], in nats."""
    return -log_probabilities[np.arange(len(labels)), labels]


def expected_calibration_error(confidence: np.ndarray, hits: np.ndarray) -> float:
    """Mean gap between confidence and accuracy over 15 equal bins of confidence.

    Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning, 2015.

    Args:
        confidence: float [n], probability of the most probable class.
        hits: bool [n], whether that class is the true one.
    """
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = np.bincount(bins, weights=confidence - hits, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """`over / under`, and 0 where `under` is 0."""
    return np.divide(over, under, out=np.zeros(np.shape(under)), where=np.asarray(under) > 0)
