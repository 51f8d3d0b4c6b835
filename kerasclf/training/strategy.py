"""Where to compute: one device, several GPUs, or the cluster that TF_CONFIG names."""

import json
import os

import keras
import numpy as np
import tensorflow as tf

from kerasclf.errors import UserError
from kerasclf.models.core import tower_logits


def choose_strategy(devices: list[str] | None = None) -> tf.distribute.Strategy:
    """Chooses a distribution strategy by what is there.

    Several devices learn what one does but for three things: dropout masks differ, Keras clips the
    gradient of each device before the sum, and of an odd batch the smaller part counts as much.

    Args:
        devices: names of devices to mirror over; None takes all GPUs.

    Returns:
        Multi-worker if TF_CONFIG names a cluster, mirrored if there are several devices, else
        TensorFlow's default, which does nothing.
    """
    if json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster"):
        return tf.distribute.MultiWorkerMirroredStrategy()
    if devices is None:
        devices = [device.name for device in tf.config.list_logical_devices("GPU")]
    if len(devices) > 1:
        return tf.distribute.MirroredStrategy(devices)
    return tf.distribute.get_strategy()


def check_compiles(strategy: tf.distribute.Strategy, jit_compile: bool) -> None:
    """Checks that a strategy's training step can be compiled, if it is to be.

    Raises:
        UserError: it works on several devices, whose exchange is outside of what XLA compiles.
    """
    if jit_compile and strategy.num_replicas_in_sync > 1:
        raise UserError(
            f"--jit-compile trains on one device, found {strategy.num_replicas_in_sync}; leave it "
            "out, or set CUDA_VISIBLE_DEVICES=0 without TF_CONFIG"
        )


def prepare(seed: int, mixed_precision: bool) -> None:
    """Seeds every generator, makes ops deterministic and sets the numeric precision."""
    keras.utils.set_random_seed(seed)
    # A resumed run must end where an uninterrupted one ends.
    tf.config.experimental.enable_op_determinism()
    half = "mixed_float16" if tf.config.list_physical_devices("GPU") else "mixed_bfloat16"
    keras.config.set_dtype_policy(half if mixed_precision else "float32")


def make_trainable(core: keras.Model, jit_compile: bool = False) -> keras.Model:
    """A model over the core's layers that `fit` can train under the current strategy.

    Args:
        core: model inputs to logits.
        jit_compile: compile the training step with XLA; for one device.

    Returns:
        Model of the core's inputs to its logits; of a core with towers, to the logits of each.
    """
    strategy = tf.distribute.get_strategy()
    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    kind = MultiWorkerModel if several else CompiledModel if jit_compile else keras.Model
    return kind(core.inputs, tower_logits(core))


class CompiledModel(keras.Model):
    """A model whose training step XLA compiles, once for each shape of a batch.

    Keras itself leaves XLA out wherever ops are to be deterministic, as `prepare` has them.
    """

    def make_train_function(self, force: bool = False) -> None:
        """Makes the step; taking the batch stays outside of what is compiled."""
        step = tf.function(self.train_step, jit_compile=True)

        @tf.function(reduce_retracing=True)
        def train_function(iterator):
            return step(next(iterator))

        self.train_function = train_function


class MultiWorkerModel(keras.Model):
    """A model whose training step works on several workers.

    Keras 3 itself fails there: it averages the step's scalar logs over an axis that they do not
    have, and cannot average a batch of several inputs to find its shapes.
    """

    def make_train_function(self, force: bool = False) -> None:
        """Makes the step: each worker trains on its batch, gradients are summed over all."""
        strategy = self.distribute_strategy

        @tf.function(reduce_retracing=True)
        def train_function(iterator):
            logs = strategy.run(self.train_step, args=(next(iterator),))
            return {name: strategy.experimental_local_results(v)[0] for name, v in logs.items()}

        self.train_function = train_function

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        """Builds what Keras would build by a look at a batch."""
        logits = [np.zeros((1, output.shape[-1]), dtype=np.float32) for output in self.outputs]
        with self.distribute_strategy.scope():
            self.optimizer.build(self.trainable_variables)
            self.compute_loss(y=[np.zeros(1, dtype=np.int64)] * len(logits), y_pred=logits)
