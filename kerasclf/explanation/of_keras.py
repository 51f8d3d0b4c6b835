"""The parts of a Keras model that are explained in different ways."""

from typing import Any

import numpy as np

from kerasclf.classifier import KerasClassifier
from kerasclf.encoders import LINEAR, NETWORK
from kerasclf.explanation.words import LEAST, Parts
from kerasclf.linear.featurizer import NgramFeaturizer
from kerasclf.linear.model import LinearModel
from kerasclf.models.joined import find_part


def find_parts(classifier: KerasClassifier, joined: dict[str, Any] | None = None) -> Parts:
    """Network and linear part of a classifier, of which at least one is there.

    Args:
        classifier: a classifier with its decision.
        joined: "weights" and "temperatures" by name of the part, if they were joined.
    """
    temperature = classifier.decision.temperature
    if isinstance(classifier.featurizer, NgramFeaturizer):
        return Parts(linear=find_linear(classifier), temperature=temperature)
    if joined is None or min(joined["weights"].values()) == 0:
        # Logarithms of calibrated probabilities are calibrated logits.
        return Parts(
            network=lambda texts: np.log(np.maximum(classifier.predict_proba(texts), LEAST))
        )
    network = find_network(classifier)
    of_network, of_linear = (joined["temperatures"][name] for name in (NETWORK, LINEAR))
    return Parts(
        network=lambda texts: network.logits(texts) / of_network,
        linear=find_linear(classifier),
        weights=(joined["weights"][NETWORK], joined["weights"][LINEAR]),
        linear_temperature=of_linear,
        temperature=temperature,
    )


def find_linear(classifier: KerasClassifier) -> LinearModel:
    """The linear part of a model, or a model that is one."""
    featurizer, core = find_part(classifier.featurizer, classifier.core, LINEAR)
    if not isinstance(featurizer, NgramFeaturizer):
        raise TypeError(f"{type(featurizer).__name__} is not the featurizer of a linear part")
    table, idf, bias = core.get_layer("tfidf").get_weights()
    return LinearModel(featurizer.max_bytes, featurizer.vocabulary, table, idf[:, 0], bias)


def find_network(classifier: KerasClassifier) -> KerasClassifier:
    """The network that a linear part is joined to."""
    part = find_part(classifier.featurizer, classifier.core, NETWORK)
    return KerasClassifier(*part, classifier.labels)
