"""Frozen layers: computed once, and the layers above are trained as the core's own."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from kerasclf.classifier import KerasClassifier
from kerasclf.config import TrainConfig
from kerasclf.job.execute import run_job, train_core
from kerasclf.job.prepare import prepare_job
from kerasclf.models.build import build_model
from kerasclf.run.layout import RunLayout
from kerasclf.training import frozen
from kerasclf.training.callbacks import Backup
from kerasclf.training.frozen import cache_frozen, split_core
from kerasclf.training.losses import make_loss
from kerasclf.training.network import build_network

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

TEXTS = ["selamat pagi", "", "sebuah kalimat yang agak panjang", "😀 a\0b", "selamat pagi"]


@pytest.fixture
def config(minilm, table, tmp_path):
    return TrainConfig(
        data=table, encoder=str(minilm), max_tokens=16, epochs=2, freeze_layers=4, output=tmp_path
    )


@pytest.fixture
def built(config):
    """Featurizer and core."""
    return build_model(config.resolved(), 3)


def test_a_core_that_was_split_is_built_anew(config, tmp_path):
    metrics = run_job(prepare_job(replace(config, epochs=1)))
    assert KerasClassifier.load(metrics["run"]).predict_proba(TEXTS).shape == (5, 3)


def test_the_layers_above_compute_what_the_core_computes(built):
    featurizer, core = built
    above, features = cache_frozen(core, featurizer, TEXTS)
    assert len(above.trainable_variables) == len(core.trainable_variables)
    assert len(above.variables) < len(core.variables)
    texts = tf.constant(TEXTS)
    # Outputs are kept in 16 bits.
    expected = core(featurizer(texts)).numpy()
    np.testing.assert_allclose(above(features(texts)), expected, atol=5e-3)
    # In a pipeline, and in another batch, they are the same.
    dataset = tf.data.Dataset.from_tensor_slices(texts[:2]).batch(2).map(features)
    np.testing.assert_allclose(above(next(iter(dataset))), expected[:2], atol=5e-3)


def test_nothing_is_kept_where_nothing_is_frozen_or_memory_is_short(built, config, monkeypatch):
    featurizer, core = built
    monkeypatch.setattr(frozen, "MOST_BYTES", 1000)
    assert cache_frozen(core, featurizer, TEXTS) is None
    free = build_model(replace(config, freeze_layers=0).resolved(), 3)[1]
    assert split_core(free) is None


def fit_network(config, folder):
    """Trains a network, and returns its weights before and after."""
    job = prepare_job(config)
    _, featurizer, core = build_network(job.config, len(job.examples.labels))
    before = {v.path: v.numpy() for v in core.variables}
    folder.mkdir(exist_ok=True)
    loss = make_loss(job.config, job.class_weights())
    train_core(job, featurizer, core, loss, RunLayout(folder))
    return before, {v.path: v.numpy() for v in core.variables}


def test_an_interrupted_training_ends_with_the_same_weights(config, tmp_path, monkeypatch):
    before, whole = fit_network(config, tmp_path / "whole")
    changed = {path for path in whole if not np.array_equal(before[path], whole[path])}
    layers = {path.split("/")[0] for path in changed}
    assert {"transformer_layer_4", "transformer_layer_5", "logits"} <= layers
    assert not layers & {"transformer_layer_3", "token_embedding"}

    write = Backup.on_epoch_end

    def stop_after_writing(self, epoch, logs=None):
        write(self, epoch, logs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Backup, "on_epoch_end", stop_after_writing)
        with pytest.raises(KeyboardInterrupt):
            fit_network(config, tmp_path / "killed")
    _, resumed = fit_network(config, tmp_path / "killed")
    for path in changed:
        if "seed_generator" not in path:
            np.testing.assert_array_equal(resumed[path], whole[path], err_msg=path)
