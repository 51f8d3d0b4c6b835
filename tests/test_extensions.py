"""What docs/architecture.md says of additions: each goes through one documented place alone."""

import json

import keras
import numpy as np
import pytest
import yaml

from export import tflite
from export.litert.recipes import RECIPES, Recipe
from kerasclf.classifier import KerasClassifier
from kerasclf.edge_runtime import EdgeClassifier
from kerasclf.encoders import ENCODERS, Encoder
from kerasclf.train import main as train
from kerasclf.training.losses import LOSSES


class MeanMargin(keras.losses.Loss):
    """Cross-entropy under another name, and counted."""

    calls = 0

    def call(self, y_true, y_pred):
        type(self).calls += 1
        return keras.ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)


@pytest.fixture
def toys(monkeypatch):
    defaults = {**ENCODERS["bytes"].defaults, "dropout": 0.1, "learning_rate": 0.02, "epochs": 12}
    encoder = Encoder("toy", "toy_encoder", defaults, max_length="max_bytes")
    monkeypatch.setitem(ENCODERS, "toy", encoder)
    monkeypatch.setitem(LOSSES, "toy", lambda config, class_weights: MeanMargin())
    monkeypatch.setattr(MeanMargin, "calls", 0)
    prefix = []

    def finish(model, calibration):
        prefix.append(len(model))
        return model

    recipe = Recipe(
        name="toy",
        tolerance=1e-5,
        bytes_per_weight=4.0,
        bytes_per_table_weight=4.0,
        finish=finish,
    )
    monkeypatch.setitem(RECIPES, "toy", recipe)
    return prefix


def test_toy_loss_encoder_and_recipe_train_and_export(toys, table, tmp_path, capsys):
    options = ["--encoder=toy", "--loss=toy", "--batch-size=16", "--patience=12"]
    assert train([f"--data={table}", f"--output={tmp_path}", *options]) == 0
    run = tmp_path / "greetings" / "1"
    assert MeanMargin.calls > 0
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert (config["encoder"], config["loss"], config["learning_rate"]) == ("toy", "toy", 0.02)
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["test"]["measures"]["accuracy"]["value"] > 0.8

    capsys.readouterr()
    path = tmp_path / "model.tflite"
    assert tflite.main([str(run), "--recipe=toy", f"--output={path}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"] == "toy"
    assert toys
    file, classifier = EdgeClassifier(path), KerasClassifier.load(run)
    for text in ("selamat pagi Solo", "guten Morgen Bonn", ""):
        expected = classifier.predict_proba([text])[0]
        np.testing.assert_allclose(file.run(text)["probabilities"][0], expected, atol=1e-5)


def test_unknown_names_are_refused_before_anything_is_written(table, tmp_path, capsys):
    assert train([f"--data={table}", f"--output={tmp_path}/runs", "--loss=hinge"]) == 2
    assert "--loss is 'hinge'; expected one of focal" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
