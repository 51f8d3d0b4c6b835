import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import SMALL

from export import distill, prune, qat, tflite
from export.compression.twin import make_twin
from export.litert.recipes import RECIPES
from kerasclf.classifier import KerasClassifier
from kerasclf.config import TrainConfig
from kerasclf.models.build import build_core
from kerasclf.models.towers import tower_logits
from kerasclf.run.layout import RunLayout
from kerasclf.train import main as train

TEXTS = tf.constant(["selamat pagi Solo", "", "good morning Leeds", "x" * 100])


@pytest.fixture(scope="module")
def towers_run(table, tmp_path_factory) -> Path:
    """A finished run with two towers."""
    output = tmp_path_factory.mktemp("runs")
    options = [
        f"--data={table}",
        f"--output={output}",
        "--epochs=12",
        "--seed=1",
        "--towers=2",
        *SMALL,
    ]
    assert train(options) == 0
    return output / "greetings" / "1"


def alone(core: keras.Model, tower: int) -> keras.Model:
    return keras.Model(core.inputs, tower_logits(core)[tower])


def test_logits_are_the_mean_of_the_towers(towers_run):
    classifier = KerasClassifier.load(towers_run)
    features = classifier.featurizer(TEXTS)
    first, second = (alone(classifier.core, tower)(features).numpy() for tower in (0, 1))
    assert np.abs(first - second).max() > 0.01
    np.testing.assert_allclose(classifier.core(features), (first + second) / 2, atol=1e-5)


def test_one_tower_has_no_mean():
    sizes = {"buckets": 64, "embedding_dim": 4, "filters": 4, "dropout": 0.0}
    core = build_core(TrainConfig(**sizes).resolved(), 3)
    assert tower_logits(core) == [core.outputs[0]]
    assert core.layers[-1].name == "logits"


def test_a_tower_learns_as_it_would_alone(table, tmp_path):
    # Bounds on the whole gradient are the one thing that towers share.
    options = [f"--data={table}", *SMALL, "--epochs=1", "--clip-norm=1e6"]
    for towers in (1, 3):
        assert train([*options, f"--towers={towers}", f"--output={tmp_path}/{towers}"]) == 0
    single, several = (
        KerasClassifier.load(tmp_path / str(towers) / "greetings" / "1") for towers in (1, 3)
    )
    features = single.featurizer(TEXTS)
    # Not to the last digit: AdamW does not quite forget the size of a gradient.
    np.testing.assert_allclose(alone(several.core, 0)(features), single.core(features), atol=0.005)


def test_towers_are_learned_better_than_chance(towers_run):
    metrics = json.loads((towers_run / "metrics.json").read_text())
    assert metrics["validation"]["macro_f1"] > 0.9


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_file_holds_all_towers(towers_run, recipe, tmp_path):
    # The gate compares it with Keras.
    arguments = [str(towers_run), f"--recipe={recipe}", f"--output={tmp_path}/m.tflite"]
    assert tflite.main(arguments) == 0


def test_twin_has_all_towers(towers_run):
    classifier = KerasClassifier.load(towers_run)
    twin = make_twin(classifier.core, TrainConfig.from_yaml(RunLayout.open(towers_run).config))
    features = classifier.featurizer(TEXTS)
    np.testing.assert_allclose(twin(features), classifier.core(features), atol=1e-6)


def test_all_towers_are_pruned_and_stay_so(towers_run, tmp_path, capsys):
    arguments = [str(towers_run), "--sparsity=0.5", f"--output={tmp_path}", "--json"]
    assert prune.main(arguments) == 0
    pruned = json.loads(capsys.readouterr().out)
    shares = pruned["compression"]["sparsity"]
    assert sorted(shares) == ["conv3", "conv3_2", "conv9", "conv9_2", "table", "table_2"]
    assert min(shares.values()) > 0.45
    assert qat.main([pruned["run"], f"--output={tmp_path}", "--json"]) == 0
    kept = json.loads(capsys.readouterr().out)["compression"]["sparsity"]
    assert min(kept.values()) > 0.45


def test_student_with_towers(run, tmp_path, capsys):
    student = tmp_path / "student.yaml"
    student.write_text(
        "towers: 2\nbuckets: 512\nembedding_dim: 4\nfilters: 4\nepochs: 2\nlinear: none\n"
    )
    arguments = [str(run), f"--student={student}", f"--output={tmp_path}", "--json"]
    assert distill.main(arguments) == 0
    classifier = KerasClassifier.load(Path(json.loads(capsys.readouterr().out)["run"]))
    assert len(tower_logits(classifier.core)) == 2
