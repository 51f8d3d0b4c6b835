"""Weight clustering: layers with few distinct weights, whose files compress well."""

from dataclasses import dataclass
from typing import Any

import tf_keras

from export.compression import tfmot
from export.compression.twin import Weights, is_compressed, read_weights


@dataclass(frozen=True)
class Clustering:
    """Replaces the weights of each layer by the nearest of a few centroids, which are trained.

    Zero weights stay zero.

    Attributes:
        clusters: number of centroids per layer, at least 2.
    """

    clusters: int

    def describe(self) -> dict[str, Any]:
        """The method and its parameters, for metrics.json."""
        return {"method": "clustering", "clusters": self.clusters}

    def wrap(self, twin: tf_keras.Model, steps: int) -> tf_keras.Model:
        """The twin with clustered layers."""

        def cluster(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
            if not is_compressed(layer):
                return layer
            # Centroids by quantiles: k-means over a table of 800,000 weights takes minutes.
            return tfmot.cluster_weights(
                layer,
                number_of_clusters=self.clusters,
                cluster_centroids_init=tfmot.clustering.CentroidInitialization.DENSITY_BASED,
                preserve_sparsity=True,
            )

        return tf_keras.models.clone_model(twin, clone_function=cluster)

    def callbacks(self, model: tf_keras.Model) -> list[tf_keras.callbacks.Callback]:
        """No callbacks are needed."""
        return []

    def strip(self, model: tf_keras.Model) -> Weights:
        """The weights, each of which is a centroid or 0."""
        return read_weights(tfmot.clustering.strip_clustering(model))
