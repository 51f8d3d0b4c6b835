"""Networks before and after training: built under a strategy, then loaded with the best weights."""

import keras
import tensorflow as tf

from kerasclf.config import TrainConfig
from kerasclf.models.build import build_model
from kerasclf.models.featurizer import Featurizer
from kerasclf.run.layout import RunLayout
from kerasclf.training.strategy import check_compiles, choose_strategy, prepare
from kerasclf.training.weights import load_weights


def build_network(
    config: TrainConfig, num_classes: int
) -> tuple[tf.distribute.Strategy, Featurizer, keras.Model]:
    """Seeds every generator and builds an untrained network under the strategy of this machine.

    Args:
        config: a resolved configuration.
        num_classes: number of logits.

    Returns:
        The strategy, within whose scope the network must be trained; the featurizer; and the core.

    Raises:
        UserError: the encoder cannot be loaded, or --jit-compile does not fit the devices.
    """
    prepare(config.seed, config.mixed_precision)
    strategy = choose_strategy()
    check_compiles(strategy, config.jit_compile)
    with strategy.scope():
        return strategy, *build_model(config, num_classes)


def load_best(
    config: TrainConfig,
    layout: RunLayout,
    featurizer: Featurizer,
    core: keras.Model,
) -> tuple[Featurizer, keras.Model]:
    """Loads the weights of the best epoch, in float32: it is what is measured and saved.

    A network with frozen layers is built anew: it was split in two for its training.

    Args:
        config: a resolved configuration.
        layout: the run that was trained.
        featurizer: of the network that was trained.
        core: of the same network.
    """
    if config.mixed_precision or not all(layer.trainable for layer in core.layers):
        prepare(config.seed, mixed_precision=False)
        featurizer, core = build_model(config, core.output_shape[-1])
    load_weights(layout.best_weights, core.weights)
    return featurizer, core
