"""The whole way from a file's input to a decision as one TensorFlow program."""

from pathlib import Path

import keras
import tensorflow as tf

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
    classes = len(classifier.labels)

    def classify(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = core(source.featurize(*inputs), training=False)
        log_probabilities = tf.nn.log_softmax(logits / decision.temperature)
        probabilities = tf.exp(log_probabilities)
        if decision.costs is not None:
            costs = tf.constant(decision.costs, tf.float32)
            label = tf.argmin(probabilities @ costs, axis=-1, output_type=tf.int32)
        else:
            offsets = tf.constant(decision.offsets, tf.float32)
            label = tf.argmax(log_probabilities + offsets, axis=-1, output_type=tf.int32)
        confidence = tf.reduce_sum(probabilities * tf.one_hot(label, classes), axis=-1)
        review = tf.cast(confidence < (decision.review_below or 0.0), tf.int32)
        return {"probabilities": probabilities, "label": label, "review": review}

    archive = keras.export.ExportArchive()
    archive.track(core)
    archive.add_endpoint(SIGNATURE, classify, input_signature=list(source.specs))
    archive.write_out(str(folder), verbose=False)
