"""The inputs of an exported file: UTF-8 bytes, or the token ids of the run's tokenizer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from kerasclf.classifier import KerasClassifier


@dataclass(frozen=True)
class FileInput:
    """The inputs of a file, how a text becomes these inputs, and how the core reads them.

    Attributes:
        specs: name, shape [1, length] and dtype int32 of each input.
        read: turns a text into int32 arrays of the shapes in `specs`, by name.
        featurize: turns tensors of `specs`, in that order, into the core's inputs by name.
        metadata: what a program that feeds the file must know.
    """

    specs: tuple[tf.TensorSpec, ...]
    read: Callable[[str], dict[str, np.ndarray]]
    featurize: Callable[..., dict[str, tf.Tensor]]
    metadata: dict[str, Any]


def describe_input(classifier: KerasClassifier) -> FileInput:
    """Describes the inputs of a classifier's file, as its featurizer defines them."""
    featurizer = classifier.featurizer
    lengths = featurizer.inputs
    read_batch = tf.function(featurizer.read, input_signature=[tf.TensorSpec([None], tf.string)])

    def read(text: str) -> dict[str, np.ndarray]:
        inputs = read_batch(tf.constant([text.encode("utf-8", "replace")]))
        return {name: inputs[name].numpy() for name in lengths}

    return FileInput(
        specs=tuple(tf.TensorSpec([1, n], tf.int32, name=name) for name, n in lengths.items()),
        read=read,
        featurize=lambda *tensors: featurizer.featurize(dict(zip(lengths, tensors, strict=True))),
        metadata=featurizer.describe(),
    )
