"""The whole way from bytes to a decision as one TensorFlow program, ready to be converted."""

from pathlib import Path

import keras
import tensorflow as tf

from export.decide import decide
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

    def classify(raw: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = core(featurizer.hash_bytes(raw), training=False)
        decided = decide(logits, decision)
        return {
            "probabilities": decided.probabilities,
            "label": decided.class_id,
            "review": tf.cast(decided.review, tf.int32),
        }

    archive = keras.export.ExportArchive()
    archive.track(core)
    size = featurizer.max_bytes
    archive.add_endpoint(
        SIGNATURE, classify, input_signature=[tf.TensorSpec([1, size], tf.int32, name="bytes")]
    )
    archive.write_out(str(folder), verbose=False)
