"""A run as one SavedModel, from strings to decisions, with the signatures that TF Serving calls."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from export.program.decide import decide
from export.program.golden import GOLDEN_TEXTS, ParityError, check_golden
from kerasclf.classifier import KerasClassifier

PREDICT, CLASSIFY = "serving_default", "classify"
TOLERANCE = 1e-4


def write_serving_model(classifier: KerasClassifier, version: int, folder: Path) -> None:
    """Writes a SavedModel of strings, and of serialized tf.Examples with a feature `text`.

    The signature `serving_default` takes "text", string [n], and returns "label" string [n],
    "class_id" int32 [n], "probabilities" float32 [n, num_classes], "review" bool [n] and "version"
    int64 [n]. The signature `classify` takes "inputs", string [n], and returns "classes" string
    [n, num_classes] and "scores" float32 [n, num_classes]. n may be 0, and texts may be any bytes.

    Args:
        classifier: classifier of a run.
        version: number under which it is published.
        folder: folder to create; must not exist.
    """
    labels = [label.encode() for label in classifier.labels]

    def predict(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        count = tf.shape(texts)[0]
        # Layers cannot reshape an empty batch, so an empty text is added to it.
        filled = tf.concat([texts, tf.fill([tf.cast(count < 1, tf.int32)], "")], axis=0)
        logits = classifier.core(classifier.featurizer(filled), training=False)
        outputs = decide(logits[:count], classifier.decision)
        return {
            "label": tf.gather(tf.constant(labels), outputs.class_id),
            "class_id": outputs.class_id,
            "probabilities": outputs.probabilities,
            "review": outputs.review,
            # A REST response has one object per row, so each output needs a value per row.
            "version": tf.fill([count], tf.constant(version, tf.int64)),
        }

    def classify(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        features = {"text": tf.io.FixedLenFeature([], tf.string)}
        scores = predict(tf.io.parse_example(inputs, features)["text"])["probabilities"]
        classes = tf.tile(tf.constant([labels]), [tf.shape(scores)[0], 1])
        return {"classes": classes, "scores": scores}

    archive = keras.export.ExportArchive()
    archive.track(classifier.core)
    for resource in classifier.featurizer.resources():
        archive.track(resource)
    archive.add_endpoint(PREDICT, predict, [tf.TensorSpec([None], tf.string, name="text")])
    archive.add_endpoint(CLASSIFY, classify, [tf.TensorSpec([None], tf.string, name="inputs")])
    archive.write_out(str(folder), verbose=False)
    # TensorFlow 2 gives every signature the method name of Predict; servers may check it.
    signatures = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
    signatures.replace_method_name(CLASSIFY, tf.compat.v1.saved_model.CLASSIFY_METHOD_NAME)
    signatures.save()


def check_serving_model(folder: Path, classifier: KerasClassifier) -> None:
    """Checks that a SavedModel agrees with Keras, and has one prediction per text in any batch.

    Raises:
        ParityError: it does not.
    """
    signature = tf.saved_model.load(str(folder)).signatures[PREDICT]
    check_golden(partial(predict_singly, signature), classifier, TOLERANCE)
    for texts in ([], [text.encode() for text in GOLDEN_TEXTS]):
        outputs = signature(text=tf.constant(texts, tf.string))
        counts = {len(value) for value in outputs.values()}
        if counts != {len(texts)}:
            raise ParityError(f"found {sorted(counts)} predictions of {len(texts)} texts")


def predict_singly(
    signature: Callable[..., dict[str, tf.Tensor]], texts: Iterable[str]
) -> np.ndarray:
    """Calls the signature `serving_default` with each text alone.

    Returns:
        Calibrated probabilities, float32 [n, num_classes], of n texts.
    """
    outputs = [signature(text=tf.constant([text.encode()])) for text in texts]
    return np.concatenate([output["probabilities"].numpy() for output in outputs])
