"""What a .tflite takes: the bytes of a text, or the token ids that a run's tokenizer makes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from export.runtime import encode
from kerasclf.classifier import Classifier
from kerasclf.models.bytes_featurizer import BytesFeaturizer


@dataclass(frozen=True)
class FileInput:
    """The inputs of a file, and both ways to them: from texts, and on to the core.

    Attributes:
        specs: name, shape [1, length] and dtype int32 of each.
        featurize: tensors of `specs`, in their order, to the core's inputs by name.
        read: a text to arrays of `specs` by name.
        metadata: what a program that feeds the file must know.
    """

    specs: tuple[tf.TensorSpec, ...]
    featurize: Callable[..., dict[str, tf.Tensor]]
    read: Callable[[str], dict[str, np.ndarray]]
    metadata: dict[str, Any]


def describe_input(classifier: Classifier) -> FileInput:
    """The inputs of a classifier's file, by its featurizer."""
    if isinstance(classifier.featurizer, BytesFeaturizer):
        return _bytes_of(classifier)
    return _tokens_of(classifier)


def _bytes_of(classifier: Classifier) -> FileInput:
    featurizer = classifier.featurizer
    size = featurizer.max_bytes
    return FileInput(
        specs=(tf.TensorSpec([1, size], tf.int32, name="bytes"),),
        featurize=featurizer.hash_bytes,
        read=lambda text: {"bytes": encode(text, size)},
        metadata={"input": "bytes", "max_bytes": size},
    )


def _tokens_of(classifier: Classifier) -> FileInput:
    """Tokenizers are no builtin ops, so that the file begins behind them."""
    featurizer = classifier.featurizer
    size = featurizer.max_tokens
    # The core's own inputs: a BERT has segment ids, too.
    names = sorted(tensor.name for tensor in classifier.core.inputs)
    tokenize = tf.function(
        featurizer.read_tokens, input_signature=[tf.TensorSpec([None], tf.string)]
    )

    def read(text: str) -> dict[str, np.ndarray]:
        found = tokenize(tf.constant([text.encode("utf-8", "replace")]))
        return {name: found[name].numpy().astype(np.int32) for name in names}

    return FileInput(
        specs=tuple(tf.TensorSpec([1, size], tf.int32, name=name) for name in names),
        featurize=lambda *tensors: dict(zip(names, tensors, strict=True)),
        read=read,
        metadata={
            "input": "tokens",
            "max_tokens": size,
            "tokenizer": type(featurizer.preprocessor.tokenizer).__name__,
        },
    )
