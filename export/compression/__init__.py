"""Fewer, fewer different, or coarser weights: TFMOT on a twin of the bytes core."""

import os

# TFMOT sets a variable for this process and its children when it is imported, by which `tf.keras`
# becomes another library. What is ours names the Keras that it means; others keep theirs.
_before = os.environ.get("TF_USE_LEGACY_KERAS")
import tensorflow_model_optimization  # noqa: E402, F401

if _before is None:
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
