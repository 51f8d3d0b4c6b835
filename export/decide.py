"""A run's decision rule as TensorFlow ops."""

from typing import NamedTuple

import tensorflow as tf

from kerasclf.decision.rule import Decision


class Decided(NamedTuple):
    """What a decision makes of the logits of a batch."""

    probabilities: tf.Tensor
    """Calibrated, float32 [batch, classes]."""
    class_id: tf.Tensor
    """After offsets or costs, int32 [batch]."""
    review: tf.Tensor
    """Whether a person should look, bool [batch]."""


def decide(logits: tf.Tensor, decision: Decision) -> Decided:
    """Decides as `Decision` does, in float32 and in the graph, with ops that TFLite has built in.

    Args:
        logits: float32 [batch, classes].
        decision: of the run.
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
    return Decided(probabilities, class_id, confidence < (decision.review_below or 0.0))
