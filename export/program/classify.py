"""The program of an exported file, from its inputs to the decision, in TensorFlow ops."""

from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from export.program.decide import decide
from export.program.inputs import FileInput
from kerasclf.classifier import KerasClassifier

SIGNATURE = "classify"


def make_program(
    classifier: KerasClassifier, file_input: FileInput
) -> Callable[..., dict[str, tf.Tensor]]:
    """Makes the function from a file's inputs to its outputs.

    Args:
        classifier: a classifier with its decision.
        file_input: its inputs, which the function takes in the order of their specs.

    Returns:
        A function with the outputs "probabilities" float32 [n, num_classes], calibrated; "label"
        int32 [n], the class id after the decision rule; and "review" int32 [n], 1 if a person
        should review the prediction.
    """

    def classify(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = classifier.core(file_input.featurize(*inputs), training=False)
        outputs = decide(logits, classifier.decision)
        return {
            "probabilities": outputs.probabilities,
            "label": outputs.class_id,
            "review": tf.cast(outputs.review, tf.int32),
        }

    return classify


def write_saved_model(classifier: KerasClassifier, file_input: FileInput, folder: Path) -> None:
    """Writes a SavedModel that classifies one text.

    Its inputs are "bytes" int32 [1, max_bytes], UTF-8 padded with 0, or the inputs of a pretrained
    encoder, such as "token_ids" and "padding_mask", int32 [1, max_tokens]. Its outputs are those of
    `make_program`.

    Args:
        classifier: a classifier with its decision.
        file_input: its inputs.
        folder: folder to create; must not exist.
    """
    archive = keras.export.ExportArchive()
    archive.track(classifier.core)
    program = make_program(classifier, file_input)
    archive.add_endpoint(SIGNATURE, program, input_signature=list(file_input.specs))
    archive.write_out(str(folder), verbose=False)
