"""The optimizer: AdamW whose update is one operation per variable, and its schedule."""

import keras
import tensorflow as tf

from kerasclf.config import TrainConfig


class AdamW(keras.optimizers.AdamW):
    """Keras' AdamW with TensorFlow's own operation for the update of a variable.

    The formula is the same (Kingma and Ba, Adam, 2015, https://arxiv.org/abs/1412.6980, the order
    of computation at the end of section 2). Keras composes it of a dozen operations, each of which
    reads and writes memory as large as the variable; for a pretrained encoder, this takes a
    noticeable share of a training step. There is no AMSGrad.
    """

    def update_step(
        self,
        gradient: tf.Tensor | tf.IndexedSlices,
        variable: tf.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        """Updates one variable and its two moments.

        Args:
            gradient: of the shape of the variable, or its rows that are not 0.
            variable: what is updated.
            learning_rate: of this step, float32 [].
        """
        index = self._get_variable_index(variable)
        first, second = self._momentums[index].value, self._velocities[index].value
        step = tf.cast(self.iterations.value + 1, variable.dtype)
        beta_1, beta_2 = (tf.cast(beta, variable.dtype) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=first.handle,
            v=second.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(tf.convert_to_tensor(gradient), variable.dtype),
        )


def make_optimizer(config: TrainConfig, steps: int) -> keras.optimizers.Optimizer:
    """Builds AdamW with linear warm-up, cosine decay to 0 and gradient clipping by global norm.

    Args:
        config: a resolved configuration.
        steps: number of batches in all epochs.
    """
    warmup = max(1, round(steps * config.warmup_share))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(1, steps - warmup),
        warmup_target=config.learning_rate,
        warmup_steps=warmup,
    )
    optimizer = AdamW(schedule, weight_decay=config.weight_decay, global_clipnorm=config.clip_norm)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
