"""The whole way from a file's input to a decision as one TensorFlow program."""

from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from export.decide import decide
from export.inputs import describe_input
from kerasclf.classifier import Classifier

SIGNATURE = "classify"


def make_program(classifier: Classifier) -> Callable[..., dict[str, tf.Tensor]]:
    """The function from a file's inputs, in the order of `describe_input`, to what it decides.

    Its outputs are "probabilities" float32 [n, classes], calibrated; "label" int32 [n], the class
    id after the decision rule; and "review" int32 [n], 1 if a person should look.

    Args:
        classifier: a classifier with its decision.
    """
    core, decision = classifier.core, classifier.decision
    source = describe_input(classifier)

    def classify(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        decided = decide(core(source.featurize(*inputs), training=False), decision)
        return {
            "probabilities": decided.probabilities,
            "label": decided.class_id,
            "review": tf.cast(decided.review, tf.int32),
        }

    return classify


def write_saved_model(classifier: Classifier, folder: Path) -> None:
    """Writes a SavedModel that reads one text and decides.

    Its inputs are "bytes" int32 [1, max_bytes], UTF-8 padded with 0, or those that a pretrained
    encoder takes, such as "token_ids" and "padding_mask", int32 [1, max_tokens]. Its outputs are
    those of `make_program`.

    Args:
        classifier: a classifier with its decision.
        folder: where to; must not exist.
    """
    archive = keras.export.ExportArchive()
    archive.track(classifier.core)
    specs = describe_input(classifier).specs
    archive.add_endpoint(SIGNATURE, make_program(classifier), input_signature=list(specs))
    archive.write_out(str(folder), verbose=False)
