"""A run's decision rule as TensorFlow ops."""

from typing import NamedTuple

import tensorflow as tf

from kerasclf.decision.rule import Decision


class Outputs(NamedTuple):
    """What the decision rule makes of a batch of logits."""

    probabilities: tf.Tensor
    """Calibrated, float32 [batch, num_classes]."""
    class_id: tf.Tensor
    """After offsets or costs, int32 [batch]."""
    review: tf.Tensor
    """Whether a person should review the prediction, bool [batch]."""


def decide(logits: tf.Tensor, decision: Decision) -> Outputs:
    """Decides as `Decision` does, in float32 and in the graph, with builtin TFLite ops alone.

    Args:
        logits: float32 [batch, num_classes].
        decision: decision of the run.
    """
    log_probabilities = tf.nn.log_softmax(logits / decision.temperature)
    probabilities = tf.exp(log_probabilities)
    if decision.costs is not None:
        costs = tf.constant(decision.costs, tf.float32)
        class_id = tf.argmin(probabilities @ costs, axis=-1, output_type=tf.int32)
    else:
        offsets = tf.constant(decision.offsets, tf.float32)
        class_id = tf.argmax(log_probabilities + offsets, axis=-1, output_type=tf.int32)
    chosen = tf.one_hot(class_id, len(decision.offsets))
    confidence = tf.reduce_sum(probabilities * chosen, axis=-1)
    return Outputs(probabilities, class_id, confidence < (decision.review_below or 0.0))
