"""The program of an exported file, from its inputs to the decision, in TensorFlow ops."""

from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from export.program.decide import decide
from export.program.inputs import FileInput
from kerasclf.classifier import KerasClassifier
from kerasclf.encoders import NETWORK
from kerasclf.models.joined import VOTE, JoinedFeaturizer

SIGNATURE = "classify"


def make_program(
    classifier: KerasClassifier, file_input: FileInput, with_network: bool = False
) -> Callable[..., dict[str, tf.Tensor]]:
    """Makes the function from a file's inputs to its outputs.

    Args:
        classifier: a classifier with its decision.
        file_input: its inputs, which the function takes in the order of their specs.
        with_network: whether the logits of the network are an output, too, if a linear part is
            joined to it.

    Returns:
        A function with the outputs "probabilities" float32 [n, num_classes], calibrated; "label"
        int32 [n], the class id after the decision rule; and "review" int32 [n], 1 if a person
        should review the prediction. With the network, also "network" float32 [n, num_classes].
    """
    core, featurizer = classifier.core, classifier.featurizer
    if not isinstance(featurizer, JoinedFeaturizer) or NETWORK not in featurizer.parts:
        with_network = False
    elif with_network:
        of_network = core.get_layer(VOTE).input[list(featurizer.parts).index(NETWORK)]
        core = keras.Model(core.input, [core.output, of_network])

    def classify(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        found = core(file_input.featurize(*inputs), training=False)
        logits, *network = found if with_network else [found]
        outputs = decide(logits, classifier.decision)
        return {
            "probabilities": outputs.probabilities,
            "label": outputs.class_id,
            "review": tf.cast(outputs.review, tf.int32),
            **({NETWORK: network[0]} if network else {}),
        }

    return classify


def write_saved_model(
    classifier: KerasClassifier, file_input: FileInput, folder: Path, with_network: bool = False
) -> None:
    """Writes a SavedModel that classifies one text.

    Its inputs are "bytes" int32 [1, max_bytes], UTF-8 padded with 0, or the inputs of a pretrained
    encoder, such as "token_ids" and "padding_mask", int32 [1, max_tokens]. Its outputs are those of
    `make_program`.

    Args:
        classifier: a classifier with its decision.
        file_input: its inputs.
        folder: folder to create; must not exist.
        with_network: as of `make_program`.
    """
    archive = keras.export.ExportArchive()
    archive.track(classifier.core)
    program = make_program(classifier, file_input, with_network)
    archive.add_endpoint(SIGNATURE, program, input_signature=list(file_input.specs))
    archive.write_out(str(folder), verbose=False)
