"""Distribution strategies: one device, several GPUs, or the cluster of TF_CONFIG."""

import json
import os

import keras
import numpy as np
import tensorflow as tf

from kerasclf.errors import UserError
from kerasclf.models.towers import tower_logits


def choose_strategy(devices: list[str] | None = None) -> tf.distribute.Strategy:
    """Chooses a distribution strategy by the available devices.

    Training on several devices differs from training on one in three ways: dropout masks differ,
    Keras clips the gradient of each device before they are summed, and the two parts of an odd
    batch count equally.

    Args:
        devices: names of devices to mirror variables over; None uses all GPUs.

    Returns:
        A multi-worker strategy if TF_CONFIG describes a cluster, a mirrored strategy if there are
        several devices, otherwise TensorFlow's default strategy.
    """
    if json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster"):
        return tf.distribute.MultiWorkerMirroredStrategy()
    if devices is None:
        devices = [device.name for device in tf.config.list_logical_devices("GPU")]
    if len(devices) > 1:
        return tf.distribute.MirroredStrategy(devices)
    return tf.distribute.get_strategy()


def check_compiles(strategy: tf.distribute.Strategy, jit_compile: bool) -> None:
    """Checks that the training step of a strategy can be compiled, if that is requested.

    Raises:
        UserError: the strategy uses several devices, whose communication XLA does not compile.
    """
    if jit_compile and strategy.num_replicas_in_sync > 1:
        raise UserError(
            f"--jit-compile trains on one device, found {strategy.num_replicas_in_sync}; leave it "
            "out, or set CUDA_VISIBLE_DEVICES=0 without TF_CONFIG"
        )


def prepare(seed: int, mixed_precision: bool) -> None:
    """Seeds every generator, makes ops deterministic and sets the numeric precision."""
    keras.utils.set_random_seed(seed)
    # A resumed run must end with the weights of an uninterrupted one.
    tf.config.experimental.enable_op_determinism()
    half = "mixed_float16" if tf.config.list_physical_devices("GPU") else "mixed_bfloat16"
    keras.config.set_dtype_policy(half if mixed_precision else "float32")


def make_trainable(core: keras.Model, jit_compile: bool = False) -> keras.Model:
    """Builds a model over the core's layers that `fit` can train under the current strategy.

    Args:
        core: model inputs to logits.
        jit_compile: compile the training step with XLA; on one device only.

    Returns:
        Model of the core's inputs to its logits, or to the logits of each tower.
    """
    strategy = tf.distribute.get_strategy()
    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    kind = MultiWorkerModel if several else CompiledModel if jit_compile else keras.Model
    return kind(core.inputs, tower_logits(core))


class CompiledModel(keras.Model):
    """A model whose training step XLA compiles, once per batch shape.

    Keras itself disables XLA where ops must be deterministic, as `prepare` requires.
    """

    def make_train_function(self, force: bool = False) -> None:
        """Builds the step; fetching the batch is not compiled."""
        step = tf.function(self.train_step, jit_compile=True)

        @tf.function(reduce_retracing=True)
        def train_function(iterator):
            return step(next(iterator))

        self.train_function = train_function


class MultiWorkerModel(keras.Model):
    """A model whose training step runs on several workers.

    Keras 3 itself fails there: it averages the scalar logs of the step over an axis that they do
    not have, and cannot average a batch of several inputs to infer its shapes.
    """

    def make_train_function(self, force: bool = False) -> None:
        """Builds the step: each worker trains on its batch, and gradients are summed over all."""
        strategy = self.distribute_strategy

        @tf.function(reduce_retracing=True)
        def train_function(iterator):
            logs = strategy.run(self.train_step, args=(next(iterator),))
            return {name: strategy.experimental_local_results(v)[0] for name, v in logs.items()}

        self.train_function = train_function

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        """Builds what Keras would build from the shapes of a batch."""
        logits = [np.zeros((1, output.shape[-1]), dtype=np.float32) for output in self.outputs]
        with self.distribute_strategy.scope():
            self.optimizer.build(self.trainable_variables)
            self.compute_loss(y=[np.zeros(1, dtype=np.int64)] * len(logits), y_pred=logits)
