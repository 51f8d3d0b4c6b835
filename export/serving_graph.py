"""Strings to decisions as one SavedModel, with the signatures that TF Serving calls."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from export.decide import decide
from export.golden import GOLDEN_TEXTS
from kerasclf.classifier import Classifier
from kerasclf.models.featurizer import Featurizer
from kerasclf.models.pretrained import TokenFeaturizer

PREDICT, CLASSIFY = "serving_default", "classify"
TOLERANCE = 1e-4


class ServedError(RuntimeError):
    """A SavedModel that does not answer as its run; it must not be published."""


def write_serving_model(classifier: Classifier, version: int, folder: Path) -> None:
    """Writes a SavedModel that answers strings, and serialized tf.Examples with a feature `text`.

    Signature `serving_default` takes "text", string [n], and gives "label" string [n], "class_id"
    int32 [n], "probabilities" float32 [n, classes], "review" bool [n] and "version" int64 [n].
    Signature `classify` takes "inputs", string [n], and gives "classes" string [n, classes] and
    "scores" float32 [n, classes]. n may be 0, and texts may be any bytes.

    Args:
        classifier: of a run.
        version: number under which it is published.
        folder: where to; must not exist.
    """
    names = [label.encode() for label in classifier.labels]

    def answer(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        count = tf.shape(texts)[0]
        # Layers cannot reshape a batch of none: it is answered as if it held one empty text.
        some = tf.concat([texts, tf.fill([tf.cast(count < 1, tf.int32)], "")], axis=0)
        logits = classifier.core(classifier.featurizer(some), training=False)
        decided = decide(logits[:count], classifier.decision)
        return {
            "label": tf.gather(tf.constant(names), decided.class_id),
            "class_id": decided.class_id,
            "probabilities": decided.probabilities,
            "review": decided.review,
            # REST answers row by row, so that each output needs a value a row.
            "version": tf.fill([count], tf.constant(version, tf.int64)),
        }

    def classify(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        features = {"text": tf.io.FixedLenFeature([], tf.string)}
        scores = answer(tf.io.parse_example(inputs, features)["text"])["probabilities"]
        classes = tf.tile(tf.constant([names]), [tf.shape(scores)[0], 1])
        return {"classes": classes, "scores": scores}

    archive = keras.export.ExportArchive()
    archive.track(classifier.core)
    for resource in _find_resources(classifier.featurizer):
        archive.track(resource)
    archive.add_endpoint(PREDICT, answer, [tf.TensorSpec([None], tf.string, name="text")])
    archive.add_endpoint(CLASSIFY, classify, [tf.TensorSpec([None], tf.string, name="inputs")])
    archive.write_out(str(folder), verbose=False)
    # TensorFlow 2 marks every signature as one for Predict; servers may check the mark.
    signatures = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
    signatures.replace_method_name(CLASSIFY, tf.compat.v1.saved_model.CLASSIFY_METHOD_NAME)
    signatures.save()


def _find_resources(featurizer: Featurizer) -> list[Any]:
    """Vocabularies of a tokenizer, which a SavedModel holds only if it is told of them."""
    if not isinstance(featurizer, TokenFeaturizer):
        return []
    kinds = (tf.Module, tf.saved_model.experimental.TrackableResource)
    held = vars(featurizer.preprocessor.tokenizer).values()
    return [value for value in held if isinstance(value, kinds)]


def check_serving_model(folder: Path, classifier: Classifier) -> None:
    """Checks that what was written answers the golden texts, and no text, as its run does.

    Raises:
        ServedError: it does not.
    """
    answer = tf.saved_model.load(str(folder)).signatures[PREDICT]
    check_answers(answer, classifier, TOLERANCE)
    for texts in ([], [text.encode() for text in GOLDEN_TEXTS]):
        rows = {len(value) for value in answer(text=tf.constant(texts, tf.string)).values()}
        if rows != {len(texts)}:
            raise ServedError(f"{len(texts)} texts got {rows} answers")


def check_answers(
    answer: Callable[..., dict[str, tf.Tensor]], classifier: Classifier, tolerance: float
) -> float:
    """Checks that the signature `serving_default` answers the golden texts as its run does.

    Args:
        answer: the signature.
        classifier: of the run.
        tolerance: largest difference of a probability that counts as equal.

    Returns:
        The largest difference.

    Raises:
        ServedError: it is above the tolerance.
    """
    largest = 0.0
    for text in GOLDEN_TEXTS:
        found = answer(text=tf.constant([text.encode()]))
        expected = classifier.predict_proba([text])
        difference = np.abs(found["probabilities"].numpy() - expected).max()
        # A NaN is not within the tolerance either.
        if not difference <= tolerance:
            raise ServedError(
                f"probabilities of {text!r:.40} differ from Keras by {difference:.2g}, expected at "
                f"most {tolerance}"
            )
        largest = max(largest, float(difference))
    return largest
