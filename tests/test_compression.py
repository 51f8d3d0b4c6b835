import json
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import ops

from export import cluster, prune, qat
from export.compression.clustering import Clustering
from export.compression.config import FineTuneConfig
from export.compression.fine_tune import fine_tune
from export.compression.prepare import prepare_compression
from export.compression.pruning import Pruning
from export.compression.quantization import QuantizationAwareTraining
from export.compression.twin import make_twin, read_weights, sparsity, write_weights
from kerasclf.classifier import KerasClassifier
from kerasclf.config import TrainConfig
from kerasclf.encoders import ENCODERS
from kerasclf.errors import UserError
from kerasclf.job.job import Job
from kerasclf.job.prepare import prepare_job
from kerasclf.run.layout import RunLayout
from kerasclf.train import main as train
from kerasclf.training.distillation import SoftLabels
from kerasclf.training.losses import LOSSES

TEXTS = ["selamat pagi Solo", "", "good morning Leeds", "x" * 100]
COMPRESSED = ("table", "conv3", "conv9")
"""Layers of the bytes encoder that are compressed."""


@pytest.fixture
def classifier(run):
    return KerasClassifier.load(run)


@pytest.fixture(scope="module")
def config(run):
    return TrainConfig.from_yaml(RunLayout.open(run).config)


@pytest.fixture(scope="module")
def job(run, config) -> Job:
    return prepare_job(replace(config, split=run, epochs=3, learning_rate=0.005))


def test_twin_computes_the_same_and_weights_move_both_ways(classifier, config):
    core = classifier.core
    twin = make_twin(core, config)
    features = classifier.featurizer(tf.constant(TEXTS))
    np.testing.assert_allclose(twin(features), core(features), atol=1e-6)
    random = np.random.default_rng(0)
    changed = {
        name: [value + random.normal(size=value.shape) * 0.1 for value in values]
        for name, values in read_weights(twin).items()
    }
    before = core(features).numpy()
    write_weights(changed, core)
    for name, values in changed.items():
        twin.get_layer(name).set_weights(values)
    assert np.abs(core(features) - before).max() > 0.01
    np.testing.assert_allclose(twin(features), core(features), atol=1e-6)


def test_pruning_reaches_its_share_in_each_layer(classifier, job):
    before = classifier.core.get_layer("logits").get_weights()[0]
    history = fine_tune(classifier.core, classifier.featurizer, job, Pruning(0.8))
    assert [row["epoch"] for row in history] == [1, 2, 3]
    shares = sparsity(classifier.core)
    assert sorted(shares) == sorted(COMPRESSED)
    for share in shares.values():
        assert share == pytest.approx(0.8, abs=0.01)
    assert (classifier.core.get_layer("logits").get_weights()[0] != before).any()
    assert history[-1]["val_macro_f1"] > 0.8
    texts, class_ids = job.texts_and_class_ids("validation")
    measured = (classifier.logits(texts).argmax(axis=1) == class_ids).mean()
    assert measured == pytest.approx(history[-1]["val_accuracy"])


def test_pattern_holds_in_every_four_weights(classifier, job):
    fine_tune(classifier.core, classifier.featurizer, job, Pruning(0.8, (2, 4)))
    for name in COMPRESSED:
        kernel = classifier.core.get_layer(name).get_weights()[0]
        # Groups run along the inputs of a unit.
        rows = kernel.reshape(-1, kernel.shape[-1]).T
        zeros = (rows.reshape(len(rows), -1, 4) == 0).sum(axis=-1)
        assert zeros.min() == zeros.max() == 2


def test_clustering_leaves_few_values_and_zeros(classifier, job):
    fine_tune(classifier.core, classifier.featurizer, job, Pruning(0.5))
    zeros = {n: classifier.core.get_layer(n).get_weights()[0] == 0 for n in COMPRESSED}
    fine_tune(classifier.core, classifier.featurizer, job, Clustering(8))
    for name, mask in zeros.items():
        kernel = classifier.core.get_layer(name).get_weights()[0]
        # The centroids, and 0.
        assert 2 < len(np.unique(kernel)) <= 9
        assert (kernel[mask] == 0).all()


def test_quantization_aware_training_keeps_zeros_and_learns(classifier, job):
    fine_tune(classifier.core, classifier.featurizer, job, Pruning(0.8))
    zeros = {n: classifier.core.get_layer(n).get_weights()[0] == 0 for n in COMPRESSED}
    before = classifier.core.get_layer("conv3").get_weights()[0]
    method = QuantizationAwareTraining()
    history = fine_tune(classifier.core, classifier.featurizer, job, method)
    for name, mask in zeros.items():
        assert ((classifier.core.get_layer(name).get_weights()[0] == 0) == mask).all()
    assert (classifier.core.get_layer("conv3").get_weights()[0] != before).any()
    assert history[-1]["val_macro_f1"] > 0.8


def test_quantization_aware_training_rounds(classifier, config):
    twin = make_twin(classifier.core, config)
    features = classifier.featurizer(tf.constant(TEXTS))
    wrapped = QuantizationAwareTraining().wrap(twin, 10)
    # Ranges are learned in training mode.
    wrapped(features, training=True)
    table = twin.get_layer("table").get_weights()[0]
    rounded = wrapped.get_layer("quant_table")(np.arange(len(table))[None]).numpy()[0]
    step = np.abs(table).max() / 127
    np.testing.assert_allclose(rounded / step, np.rint(table / step), atol=1e-3)


def test_fine_tuning_learns_from_teachers(classifier, job):
    class_ids = job.texts_and_class_ids("train")[1]
    wrong = SoftLabels(np.eye(3, dtype=np.float32)[(class_ids + 1) % 3], 1.0, 1.0)
    fine_tune(classifier.core, classifier.featurizer, job, Pruning(0.1), wrong)
    texts, class_ids = job.texts_and_class_ids("validation")
    assert (classifier.logits(texts).argmax(axis=1) == (class_ids + 1) % 3).mean() > 0.5


def test_fine_tuning_learns_from_augmented_rows(classifier, job):
    texts, class_ids = job.texts_and_class_ids("train")
    # All of one class: their label and their soft label are those of their sources.
    sources = np.tile(np.flatnonzero(class_ids == 0), 20)
    rows = {"source": sources, "text": [f"{texts[i]} lagi" for i in sources], "dropped": ""}
    more = replace(job, augmented=pd.DataFrame(rows))
    soft_labels = SoftLabels(np.eye(3, dtype=np.float32)[class_ids], 1.0, 0.5)
    history = fine_tune(classifier.core, classifier.featurizer, more, Pruning(0.1), soft_labels)
    assert len(history) == job.config.epochs
    assert (classifier.logits(rows["text"]).argmax(axis=1) == 0).all()


@pytest.mark.parametrize(
    ("main", "suffix", "options"),
    [
        (prune.main, "pruned", ["--sparsity=0.7"]),
        (cluster.main, "clustered", ["--clusters=16"]),
        (qat.main, "qat", []),
    ],
)
def test_commands_make_runs(main, suffix, options, run, tmp_path, capsys):
    arguments = [str(run), f"--output={tmp_path}", "--epochs=2", "--learning-rate=0.005", *options]
    assert main(arguments) == 0
    assert "zeros     table" in capsys.readouterr().out
    (folder,) = tmp_path.glob(f"*-{suffix}/1")
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["compression"]["of"] == str(run)
    assert metrics["training"]["best_epoch"] == 2
    assert metrics["compression"]["sparsity"] == sparsity(KerasClassifier.load(folder).core)
    rows = [
        pd.read_parquet(place / "predictions.parquet").query("split == 'test'")["text"].tolist()
        for place in (run, folder)
    ]
    assert rows[0] == rows[1]


def test_resumes_after_a_kill_during_measurement(run, tmp_path, capsys, monkeypatch):
    arguments = [str(run), f"--output={tmp_path}", "--epochs=1", "--learning-rate=0.005"]
    with monkeypatch.context() as patch:

        def interrupt(*_):
            raise KeyboardInterrupt

        patch.setattr("kerasclf.job.execute.measure", interrupt)
        assert prune.main(arguments) == 1
    (partial,) = tmp_path.glob("*-pruned/1.partial")
    assert train([f"--resume={partial}"]) == 0
    folder = partial.with_name("1")
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["compression"]["method"] == "pruning"
    assert sparsity(KerasClassifier.load(folder).core)["table"] > 0.7


class ToyLoss(keras.losses.Loss):
    """Cross-entropy with the next class."""

    def call(self, y_true, y_pred):
        class_ids = (ops.cast(y_true, "int32") + 1) % 3
        return keras.losses.sparse_categorical_crossentropy(class_ids, y_pred, from_logits=True)


def test_fine_tuning_uses_the_loss_of_the_configuration(classifier, job, monkeypatch):
    monkeypatch.setitem(LOSSES, "toy", lambda config, class_weights: ToyLoss())
    toy = replace(job, config=replace(job.config, loss="toy"))
    fine_tune(classifier.core, classifier.featurizer, toy, Pruning(0.1))
    texts, class_ids = job.texts_and_class_ids("validation")
    assert (classifier.logits(texts).argmax(axis=1) == (class_ids + 1) % 3).mean() > 0.5


def test_only_compressible_encoders_are_compressed(run, monkeypatch):
    monkeypatch.setitem(ENCODERS, "bytes", replace(ENCODERS["bytes"], compressible=False))
    monkeypatch.setitem(ENCODERS, "toy", replace(ENCODERS["bytes"], compressible=True))
    with pytest.raises(UserError, match="has the encoder bytes; only runs of --encoder toy can"):
        prepare_compression(RunLayout.open(run), FineTuneConfig(), "pruned")


def test_bad_compressions(run, tmp_path, capsys):
    cases = {
        "no run given": (prune.main, []),
        "no run ": (cluster.main, [f"{tmp_path}/none"]),
        "--sparsity is 1.0": (prune.main, [str(run), "--sparsity=1"]),
        "--pattern is '4:2'": (prune.main, [str(run), "--pattern=4:2"]),
        "--pattern is 'half'": (prune.main, [str(run), "--pattern=half"]),
        "--clusters is 1": (cluster.main, [str(run), "--clusters=1"]),
        "--epochs is 0": (qat.main, [str(run), "--epochs=0"]),
        "is not a folder": (qat.main, [str(run), f"--output={run}/labels.json"]),
    }
    for message, (main, arguments) in cases.items():
        assert main(arguments) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
