"""The whole way from bytes to a decision as one TensorFlow program, ready to be converted."""

from pathlib import Path

import keras
import tensorflow as tf

from kerasclf.classifier import Classifier

SIGNATURE = "classify"


def write_saved_model(classifier: Classifier, folder: Path) -> None:
    """Writes a SavedModel that reads the bytes of one text and decides.

    Its input "bytes" is int32 [1, max_bytes], UTF-8 padded with 0. Its outputs are "probabilities"
    float32 [1, classes], calibrated; "label" int32 [1], the class id after the decision rule; and
    "review" int32 [1], 1 if a person should look.

    Args:
        classifier: a bytes classifier with its decision.
        folder: where to; must not exist.
    """
    featurizer, core, decision = classifier.featurizer, classifier.core, classifier.decision
    classes = len(classifier.labels)

    def classify(raw: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = core(featurizer.hash_bytes(raw), training=False)
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
    size = featurizer.max_bytes
    archive.add_endpoint(
        SIGNATURE, classify, input_signature=[tf.TensorSpec([1, size], tf.int32, name="bytes")]
    )
    archive.write_out(str(folder), verbose=False)
