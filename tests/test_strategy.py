import json
import os
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL

MIRRORED = """
import sys
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from kerasclf.job import run
from kerasclf.train import main
from kerasclf.training.strategy import choose_strategy

run.choose_strategy = lambda: choose_strategy(["CPU:0", "CPU:1"])
sys.exit(main(sys.argv[1:]))
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
    error = process.communicate(timeout=300)[1]
    assert process.returncode == 0, error


def logits_of(run):
    return pd.read_parquet(run / "predictions.parquet").filter(like="logit_").to_numpy()


def test_one_device_needs_no_strategy():
    import tensorflow as tf

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
def test_two_workers_learn_one_model(table, tmp_path):
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    workers = []
    for index in range(2):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        options = [f"--data={table}", f"--output={tmp_path}/{index}", "--epochs=3", *SMALL]
        workers.append(start(["-m", "kerasclf.train", *options], TF_CONFIG=json.dumps(task)))
    for worker in workers:
        finish(worker)
    first, second = (tmp_path / str(index) / "greetings" / "1" for index in range(2))
    np.testing.assert_array_equal(logits_of(first), logits_of(second))
    assert pd.read_csv(first / "history.csv")["loss"].is_monotonic_decreasing
