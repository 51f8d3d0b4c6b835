"""Featurizer and core that a configuration names."""

import keras

from kerasclf.config import TrainConfig
from kerasclf.models.core import build_bytes_core, build_pretrained_core
from kerasclf.models.featurizer import Featurizer


def build_model(config: TrainConfig, classes: int) -> tuple[Featurizer, keras.Model]:
    """Builds an untrained model.

    Args:
        config: a resolved configuration.
        classes: number of logits.

    Returns:
        The featurizer, and a core of its outputs to logits.

    Raises:
        UserError: a pretrained encoder cannot be loaded.
    """
    if config.encoder == "bytes":
        from kerasclf.models.bytes_featurizer import BytesFeaturizer

        core = build_bytes_core(
            classes,
            config.buckets,
            config.embedding_dim,
            config.filters,
            config.dropout,
            config.towers,
        )
        return BytesFeaturizer(config.max_bytes, config.buckets), core
    from kerasclf.models.pretrained import load_pretrained

    featurizer, backbone = load_pretrained(config.encoder, config.max_tokens)
    return featurizer, build_pretrained_core(backbone, classes, config.dropout)
