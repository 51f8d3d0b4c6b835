"""Where to compute: one device, several GPUs, or the cluster that TF_CONFIG names."""

import json
import os

import keras
import tensorflow as tf


def choose_strategy(devices: list[str] | None = None) -> tf.distribute.Strategy:
    """Chooses a distribution strategy by what is there.

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


def prepare(seed: int, mixed_precision: bool) -> None:
    """Seeds every generator, makes ops deterministic and sets the numeric precision."""
    keras.utils.set_random_seed(seed)
    # A resumed run must end where an uninterrupted one ends.
    tf.config.experimental.enable_op_determinism()
    half = "mixed_float16" if tf.config.list_physical_devices("GPU") else "mixed_bfloat16"
    keras.config.set_dtype_policy(half if mixed_precision else "float32")
