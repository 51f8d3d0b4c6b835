"""The parts of a model, network and linear part, and how validation rows weigh them."""

from typing import Any

import numpy as np
from scipy.special import log_softmax, logsumexp
from sklearn.model_selection import StratifiedKFold

from kerasclf.classifier import KerasClassifier
from kerasclf.config import TrainConfig
from kerasclf.decision.temperature import fit_temperature
from kerasclf.decision.voting import fit_weights
from kerasclf.encoders import LINEAR, NETWORK
from kerasclf.linear.featurizer import NgramFeaturizer
from kerasclf.linear.fit import fit_linear
from kerasclf.linear.layer import build_linear_core
from kerasclf.linear.model import LinearModel
from kerasclf.models.joined import Part, join
from kerasclf.statistics.bootstrap import compare
from kerasclf.training.distillation import SoftLabels

FOLDS = 5
PRIOR_ROWS = 100
"""Rows by which weights are drawn towards equal ones, and temperatures towards 1."""
LEAST_WEIGHT = 0.05
LEAST_LOSS = 0.001
"""What counts: a weight, and a difference in log loss."""


def fit_linear_part(
    config: TrainConfig,
    texts: list[str],
    class_ids: np.ndarray,
    num_classes: int,
    weights: np.ndarray | None = None,
    soft_labels: SoftLabels | None = None,
) -> LinearModel:
    """Fits the linear part of a configuration.

    Args:
        config: a resolved configuration.
        texts: n training texts.
        class_ids: int64 [n], their class ids.
        num_classes: number of classes.
        weights: float32 [n], weights of the rows; None if all weigh the same.
        soft_labels: probabilities of teachers for these n rows, and for a transfer set.
    """
    probabilities = None
    if soft_labels is not None:
        probabilities, texts, class_ids, weights = _extend(soft_labels, texts, class_ids, weights)
    return fit_linear(
        texts,
        class_ids,
        num_classes,
        max_bytes=config.max_bytes,
        terms=config.linear_terms,
        inverse_penalty=config.linear_c,
        seed=config.seed,
        weights=weights,
        soft_labels=probabilities,
    )


def _extend(
    soft_labels: SoftLabels, texts: list[str], class_ids: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, list[str], np.ndarray, np.ndarray | None]:
    """Probabilities, texts, class ids and weights of training rows and transfer set."""
    own = soft_labels.alpha * soft_labels.probabilities
    own[np.arange(len(texts)), class_ids] += 1 - soft_labels.alpha
    transfer = soft_labels.transfer_probabilities
    if transfer is None:
        return own, texts, class_ids, weights
    if weights is not None:
        weights = np.append(weights, np.ones_like(transfer[:, 0]))
    return (
        np.concatenate([own, transfer]),
        [*texts, *soft_labels.transfer_texts],
        np.append(class_ids, transfer.argmax(axis=1)),
        weights,
    )


def combine(
    network: KerasClassifier | None,
    linear: LinearModel | None,
    labels: tuple[str, ...],
    texts: list[str],
    class_ids: np.ndarray,
    seed: int,
) -> tuple[KerasClassifier, dict[str, Any] | None]:
    """The model that consists of a network, a linear part or both.

    Args:
        network: the network, if there is one.
        linear: the linear part, if there is one; at least one of both is there.
        labels: label names by class id.
        texts: n validation texts.
        class_ids: int64 [n], their class ids.
        seed: seed of folds and bootstrap.

    Returns:
        The classifier; and, if both are there, the description of `join_parts`.
    """
    if linear is None:
        assert network is not None
        return network, None
    featurizer = NgramFeaturizer(linear.max_bytes, linear.vocabulary)
    linear_part = KerasClassifier(featurizer, build_linear_core(linear), labels)
    if network is None:
        return linear_part, None
    return join_parts(network, linear_part, texts, class_ids, seed)


def join_parts(
    network: KerasClassifier,
    linear: KerasClassifier,
    texts: list[str],
    class_ids: np.ndarray,
    seed: int,
) -> tuple[KerasClassifier, dict[str, Any]]:
    """Joins a network and a linear part, or keeps only one of them.

    Each part is calibrated by a temperature. The weights of their probabilities have the lowest log
    loss on validation rows. As by 100 more rows, weights are drawn towards 0.5, and temperatures
    towards 1: a few rows, all of them right, would make a part infinitely sure. A part with a
    weight below 0.05 is left out. So is a part without which the other one has a lower log loss
    than both together have by cross-fitted weights, by more than 0.001 and more than a standard
    error.

    Args:
        network: calibrated or not.
        linear: calibrated or not.
        texts: n validation texts.
        class_ids: int64 [n], their class ids.
        seed: seed of the folds and of the bootstrap.

    Returns:
        The classifier, and its description: "weights" and "temperatures" by name of the part, and
        under "differences" what both, cross-fitted, gain in macro-F1 over each part.
    """
    parts = {NETWORK: network, LINEAR: linear}
    logits = {name: part.logits(texts).astype(np.float64) for name, part in parts.items()}
    trust = len(class_ids) / (len(class_ids) + PRIOR_ROWS)
    temperatures = {
        name: fit_temperature(values, class_ids) ** trust for name, values in logits.items()
    }
    calibrated = np.stack(
        [log_softmax(logits[name] / temperatures[name], axis=1) for name in parts]
    )
    weights = _fit(calibrated, class_ids)
    both = _cross_fit(calibrated, class_ids, seed)
    rows = np.arange(len(class_ids))
    for position in range(len(parts)):
        gain = both[rows, class_ids] - calibrated[position][rows, class_ids]
        if gain.mean() < -max(LEAST_LOSS, gain.std() / np.sqrt(len(gain))):
            weights = np.eye(len(parts))[position]
    num_classes = calibrated.shape[2]
    decided = {name: values.argmax(axis=1) for name, values in zip(parts, calibrated, strict=True)}
    decided["both"] = both.argmax(axis=1)
    description = {
        "weights": dict(zip(parts, weights.tolist(), strict=True)),
        "temperatures": temperatures,
        "differences": {
            name: compare(class_ids, decided["both"], decided[name], num_classes, seed)
            for name in parts
        },
    }
    if weights.min() == 0:
        return parts[list(parts)[int(weights.argmax())]], description
    featurizer, core = join(
        {
            name: Part(part.featurizer, part.core, temperatures[name], float(weight))
            for (name, part), weight in zip(parts.items(), weights, strict=True)
        }
    )
    return KerasClassifier(featurizer, core, network.labels), description


def _fit(calibrated: np.ndarray, class_ids: np.ndarray) -> np.ndarray:
    """Weights of the parts, float64 [parts], from log-probabilities [parts, n, num_classes]."""
    of_true_class = calibrated[:, np.arange(len(class_ids)), class_ids]
    weights = fit_weights(np.exp(np.maximum(of_true_class, -700)))
    n = len(class_ids)
    weights = (n * weights + PRIOR_ROWS / len(weights)) / (n + PRIOR_ROWS)
    weights[weights < LEAST_WEIGHT] = 0
    return weights / weights.sum()


def _cross_fit(calibrated: np.ndarray, class_ids: np.ndarray, seed: int) -> np.ndarray:
    """Log-probabilities of the vote, float64 [n, num_classes], by weights of the other folds."""
    folds = min(FOLDS, int(np.bincount(class_ids)[np.unique(class_ids)].min()))
    if folds < 2:
        return _vote(calibrated, _fit(calibrated, class_ids))
    both = np.empty_like(calibrated[0])
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for fitted, held in splitter.split(class_ids, class_ids):
        weights = _fit(calibrated[:, fitted], class_ids[fitted])
        both[held] = _vote(calibrated[:, held], weights)
    return both


def _vote(calibrated: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return logsumexp(calibrated, axis=0, b=weights[:, None, None])
