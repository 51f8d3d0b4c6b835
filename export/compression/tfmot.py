"""TensorFlow Model Optimization, imported without its side effect on `tf.keras`."""

import os

# Importing TFMOT sets a variable for this process and its children, by which `tf.keras` becomes
# another library. Our modules name the Keras that they mean; other code keeps its own.
_before = os.environ.get("TF_USE_LEGACY_KERAS")
import tensorflow_model_optimization  # noqa: E402
from tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster import (  # noqa: E402
    cluster_weights,  # noqa: F401
)

if _before is None:
    os.environ.pop("TF_USE_LEGACY_KERAS", None)

clustering = tensorflow_model_optimization.clustering.keras
quantization = tensorflow_model_optimization.quantization.keras
sparsity = tensorflow_model_optimization.sparsity.keras
