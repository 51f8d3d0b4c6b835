"""The whole way from a file's input to a decision as one TensorFlow program."""

from pathlib import Path

import keras
import tensorflow as tf

from export.decide import decide
from export.inputs import describe_input
from kerasclf.classifier import Classifier

SIGNATURE = "classify"


def write_saved_model(classifier: Classifier, folder: Path) -> None:
    """Writes a SavedModel that reads one text and decides.

    Its inputs are "bytes" int32 [1, max_bytes], UTF-8 padded with 0, or those that a pretrained
    encoder takes, such as "token_ids" and "padding_mask", int32 [1, max_tokens]. Its outputs are
    "probabilities" float32 [1, classes], calibrated; "label" int32 [1], the class id after the
    decision rule; and "review" int32 [1], 1 if a person should look.

    Args:
        classifier: a classifier with its decision.
        folder: where to; must not exist.
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

    archive = keras.export.ExportArchive()
    archive.track(core)
    archive.add_endpoint(SIGNATURE, classify, input_signature=list(source.specs))
    archive.write_out(str(folder), verbose=False)
