import json
import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from conftest import SMALL

from kerasclf.config import TrainConfig
from kerasclf.models.build import build_core
from kerasclf.training.strategy import check_compiles, make_trainable

MIRRORED = """
import sys
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from kerasclf.train import main
from kerasclf.training import network
from kerasclf.training.strategy import choose_strategy

network.choose_strategy = lambda: choose_strategy(["CPU:0", "CPU:1"])
sys.exit(main(sys.argv[1:]))
"""

# Workers draw other dropout masks than one process does.
WITHOUT_DROPOUT = """
import sys
from kerasclf.models import bytes_encoder
from kerasclf.train import main

bytes_encoder.NGRAM_DROPOUT = bytes_encoder.CHANNEL_DROPOUT = 0.0
sys.exit(main([*sys.argv[1:], "--dropout=0"]))
"""


def start(arguments, **environment):
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    error = process.communicate(timeout=1800)[1]
    assert process.returncode == 0, error


def logits_of(run):
    return pd.read_parquet(run / "predictions.parquet").filter(like="logit_").to_numpy()


def test_one_device_needs_no_strategy():
    from kerasclf.training.strategy import choose_strategy

    assert choose_strategy() is tf.distribute.get_strategy()


@pytest.mark.slow
def test_two_devices_learn(table, tmp_path):
    options = [f"--data={table}", "--epochs=3", *SMALL, "--dropout=0"]
    finish(start(["-c", MIRRORED, *options, f"--output={tmp_path}/two"]))
    run = tmp_path / "two" / "greetings" / "1"
    history = pd.read_csv(run / "history.csv")
    assert history["loss"].is_monotonic_decreasing
    assert np.isfinite(logits_of(run)).all()


@pytest.mark.slow
def test_two_devices_do_not_compile(table, tmp_path):
    options = [f"--data={table}", f"--output={tmp_path}/two", "--epochs=1", *SMALL, "--jit-compile"]
    process = start(["-c", MIRRORED, *options])
    error = process.communicate(timeout=1800)[1]
    assert process.returncode == 2
    assert "--jit-compile trains on one device, found 2" in error
    assert not (tmp_path / "two").exists()


@pytest.mark.slow
def test_two_workers_learn_what_one_process_learns(table, tmp_path):
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    # Keras clips each worker's gradient before the sum, and takes the mean of the workers' means:
    # 66 rows are batches that two workers share equally.
    exact = ["--epochs=1", "--clip-norm=1e6", "--test-share=0.23", "--towers=2"]
    options = ["-c", WITHOUT_DROPOUT, f"--data={table}", *SMALL, *exact]
    workers = []
    for index in range(2):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        output = f"--output={tmp_path}/{index}"
        workers.append(start([*options, output], TF_CONFIG=json.dumps(task)))
    for worker in workers:
        finish(worker)
    finish(start([*options, f"--output={tmp_path}/alone"]))
    runs = [tmp_path / name / "greetings" / "1" for name in ("0", "1", "alone")]
    first, second, alone = map(logits_of, runs)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, alone, atol=1e-4)
    for measure in ("loss", "val_loss"):
        found = [pd.read_csv(run / "history.csv")[measure].item() for run in runs]
        assert found[:2] == pytest.approx([found[2]] * 2, abs=1e-4)


def train_steps(jit_compile, **keywords):
    """Weights after three steps of a core without chance in it."""
    keras.utils.set_random_seed(0)
    config = TrainConfig(buckets=64, embedding_dim=4, filters=4, dropout=0.0)
    core = build_core(config, 3)
    for layer in core.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    random = np.random.default_rng(0)
    inputs = {
        "ngrams": random.integers(1, 64, (12, 16, 5)).astype(np.int32),
        "mask": np.ones((12, 16), np.float32),
    }
    model = make_trainable(core, jit_compile)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(0.01), keywords.get("loss", loss), jit_compile=False)
    model.fit(inputs, np.arange(12) % 3, batch_size=4, shuffle=False, verbose=0)
    return core.get_weights()


def test_compiled_steps_are_those_that_are_not():
    for compiled, plain in zip(train_steps(True), train_steps(False), strict=True):
        np.testing.assert_allclose(compiled, plain, atol=1e-5)


def test_steps_are_compiled():
    def loss(y, logits):
        # XLA has no strings.
        length = tf.strings.length(tf.strings.as_string(y))
        return tf.reduce_mean(logits) + 0 * tf.cast(tf.reduce_sum(length), tf.float32)

    train_steps(False, loss=loss)
    with pytest.raises(tf.errors.InvalidArgumentError, match="AsString"):
        train_steps(True, loss=loss)


def test_one_device_compiles():
    check_compiles(tf.distribute.get_strategy(), True)
