"""Weight clustering: few different values, which compress well."""

from dataclasses import dataclass

import tensorflow_model_optimization as tfmot
import tf_keras
from tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster import (
    cluster_weights,
)

from export.compression.twin import Weights, is_compressed, read_weights


@dataclass(frozen=True)
class Clustering:
    """Replaces each layer's weights by the nearest of a few centroids, which are learned.

    Weights that are 0 stay 0.

    Attributes:
        clusters: number of values in a layer, at least 2.
    """

    clusters: int

    def wrap(self, twin: tf_keras.Model, steps: int) -> tf_keras.Model:
        """The twin with clustered layers."""
        clustering = tfmot.clustering.keras

        def cluster(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
            if not is_compressed(layer.name):
                return layer
            # Centroids by quantiles: k-means over a table of 800,000 weights takes minutes.
            return cluster_weights(
                layer,
                number_of_clusters=self.clusters,
                cluster_centroids_init=clustering.CentroidInitialization.DENSITY_BASED,
                preserve_sparsity=True,
            )

        return tf_keras.models.clone_model(twin, clone_function=cluster)

    def callbacks(self, model: tf_keras.Model) -> list[tf_keras.callbacks.Callback]:
        """None are needed."""
        return []

    def strip(self, model: tf_keras.Model) -> Weights:
        """Weights that are centroids."""
        return read_weights(tfmot.clustering.keras.strip_clustering(model))
