"""The update of AdamW is that of Keras."""

from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasclf.config import TrainConfig
from kerasclf.training.optimizer import AdamW, make_optimizer

RATES = keras.optimizers.schedules.CosineDecay(
    0.0, decay_steps=8, warmup_target=0.1, warmup_steps=2
)


def updated(kind, rows, strategy=None, steps=6):
    """A table and a bias after some steps with a gradient for a few rows of the table."""
    random = np.random.default_rng(0)
    with (strategy or tf.distribute.get_strategy()).scope():
        table = keras.Variable(random.normal(size=(7, 3)).astype(np.float32), name="table")
        bias = keras.Variable(np.ones(3, np.float32), name="bias")
        optimizer = kind(RATES, weight_decay=0.3, global_clipnorm=1.0)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.build([table, bias])
    values = tf.constant(random.normal(size=(steps, len(rows), 3)).astype(np.float32))

    @tf.function
    def step(value):
        slices = tf.IndexedSlices(value, tf.constant(rows), tf.constant([7, 3]))
        optimizer.apply([slices, value[0]], [table, bias])

    for value in values:
        strategy.run(step, (value,)) if strategy else step(value)
    return table.numpy(), bias.numpy()


@pytest.mark.parametrize("rows", [[0, 5], [2, 2, 6]], ids=["rows", "a row twice"])
def test_the_update_is_that_of_keras(rows):
    expected = updated(keras.optimizers.AdamW, rows)
    for one, other in zip(updated(AdamW, rows), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_mirrored_variables_are_updated():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    found = updated(AdamW, [0, 5], strategy)
    for one, other in zip(found, updated(AdamW, [0, 5]), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_first_step_by_hand():
    """Of a gradient without clipping, the first step is the learning rate with its sign."""
    variable = keras.Variable(np.zeros(2, np.float32))
    optimizer = AdamW(0.5, weight_decay=0.0, epsilon=1e-12)
    optimizer.build([variable])
    optimizer.apply([tf.constant([3.0, -0.2])], [variable])
    np.testing.assert_allclose(variable.numpy(), [-0.5, 0.5], rtol=1e-5)


def test_the_rate_rises_and_falls_to_zero():
    config = TrainConfig(dataset="chat-language", warmup_share=0.25, learning_rate=0.4).resolved()
    rates = [float(make_optimizer(config, 8)._learning_rate(step)) for step in range(9)]
    assert rates[:3] == pytest.approx([0.0, 0.2, 0.4])
    assert rates[8] == pytest.approx(0.0)
    assert all(before > after for before, after in pairwise(rates[2:]))
