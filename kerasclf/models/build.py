"""An untrained model, as a configuration describes it."""

from types import ModuleType

import keras

from kerasclf.config import TrainConfig
from kerasclf.encoders import find_encoder
from kerasclf.models.featurizer import Featurizer


def build_model(config: TrainConfig, num_classes: int) -> tuple[Featurizer, keras.Model]:
    """Builds an untrained model.

    Args:
        config: a resolved configuration.
        num_classes: number of logits.

    Returns:
        The featurizer, and a core of its outputs to logits.

    Raises:
        UserError: a pretrained encoder cannot be loaded.
    """
    return find_encoder(config.encoder).module().build(config, num_classes)


def build_core(config: TrainConfig, num_classes: int, library: ModuleType = keras) -> keras.Model:
    """Builds the core of a compressible encoder alone.

    Args:
        config: a resolved configuration.
        num_classes: number of logits.
        library: keras, or tf_keras for tools that support only that one.
    """
    return find_encoder(config.encoder).module().build_core(config, num_classes, library)
