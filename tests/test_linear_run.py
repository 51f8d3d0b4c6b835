"""Runs with a linear part, alone or beside a network, on the roads that other runs take."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL

import kerasclf
from export.onnx import main as onnx
from export.prune import main as prune
from export.saved_model import main as saved_model
from export.tflite import main as tflite
from kerasclf.job import execute
from kerasclf.models.joined import JoinedFeaturizer
from kerasclf.train import main as train


@pytest.fixture(scope="module")
def joined(table, both_kept, tmp_path_factory):
    """A finished run of a network and a linear part."""
    output = tmp_path_factory.mktemp("joined")
    options = [f"--data={table}", f"--output={output}", "--epochs=16", *SMALL, "--linear=tfidf"]
    assert train(options) == 0
    return output / "greetings" / "1"


@pytest.fixture(scope="module")
def alone(table, tmp_path_factory):
    """A finished run of a linear part alone."""
    output = tmp_path_factory.mktemp("alone")
    options = [f"--data={table}", f"--output={output}", "--encoder=linear", "--max-bytes=48"]
    assert train(options) == 0
    return output / "greetings" / "1"


def texts_of(table):
    return [*pd.read_csv(table)["text"], "", "Selamat, PAGI (Solo)", "x" * 100]


def test_both_parts_are_in_the_run(joined):
    parts = json.loads((joined / "metrics.json").read_text())["parts"]
    assert min(parts["weights"].values()) > 0
    assert sum(parts["weights"].values()) == pytest.approx(1)
    assert isinstance(kerasclf.load(joined).keras.featurizer, JoinedFeaturizer)
    assert " network + 0." in (joined / "report.html").read_text().split("Parts:")[1][:40]
    assert "Parts: " in (joined / "model_card.md").read_text()
    assert not (joined / "linear.npz").exists()


def test_a_linear_part_alone(alone, capsys):
    assert kerasclf.load(alone).predict(["guten Morgen Bonn"])["predicted_label"].tolist() == ["de"]
    metrics = json.loads((alone / "metrics.json").read_text())
    assert "parts" not in metrics
    assert metrics["test"]["measures"]["macro_f1"]["value"] > 0.9
    assert ">Training</h2>" not in (alone / "report.html").read_text()
    assert prune([str(alone)]) == 2
    assert "has no network" in capsys.readouterr().err


def test_resumes_with_the_bits_of_the_linear_part(joined, table, tmp_path, monkeypatch):
    options = [f"--data={table}", f"--output={tmp_path}", "--epochs=16", *SMALL, "--linear=tfidf"]

    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(execute, "train_core", interrupt)
        assert train(options) != 0
    # It is read, not fitted again.
    monkeypatch.setattr(execute, "fit_linear_part", interrupt)
    assert train([f"--resume={tmp_path}/greetings/1.partial"]) == 0
    first, second = (
        pd.read_parquet(run / "predictions.parquet")
        for run in (joined, tmp_path / "greetings" / "1")
    )
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("recipe", ["float32", "dynamic_int8", "full_int8", "int4_embedding"])
def test_every_recipe_has_both_parts(joined, table, tmp_path, recipe):
    from export.litert.oldest_runtime import find_oldest_runtime
    from kerasclf.edge_runtime import EdgeClassifier

    file = tmp_path / "model.tflite"
    assert tflite([str(joined), f"--output={file}", f"--recipe={recipe}", "--max-drop=0.3"]) == 0
    # A table in int8 does not need a runtime that reads int4.
    newest = {"full_int8": "2.12.0", "int4_embedding": "2.18.0"}
    assert find_oldest_runtime(file.read_bytes()) == newest.get(recipe, "2.4.0")
    texts = texts_of(table)
    difference = EdgeClassifier(file).predict_proba(texts) - kerasclf.load(joined).predict_proba(
        texts
    )
    assert np.abs(difference).max() < (1e-5 if recipe == "float32" else 0.2)


def test_a_file_of_the_linear_part_alone_is_small(alone, table, tmp_path):
    from kerasclf.edge_runtime import EdgeClassifier

    file = tmp_path / "model.tflite"
    assert tflite([str(alone), f"--output={file}"]) == 0
    assert file.stat().st_size < 100_000
    predicted = [EdgeClassifier(file).classify(text)["label"] for text in texts_of(table)[:20]]
    assert (
        predicted == kerasclf.load(alone).predict(texts_of(table)[:20])["predicted_label"].tolist()
    )


@pytest.mark.parametrize("name", ["joined", "alone"])
def test_onnx_agrees_on_words_of_the_vocabulary(name, table, tmp_path, request):
    """tf2onnx's own ScatterND would keep one byte of each word instead of the sum of all."""
    from export.program.inputs import describe_input
    from export.tensorrt.onnx_file import OnnxFile

    run = request.getfixturevalue(name)
    assert onnx([str(run), f"--output={tmp_path}/model.onnx"]) == 0
    classifier = kerasclf.load(run).keras
    file = OnnxFile(tmp_path / "model.onnx", describe_input(classifier))
    texts = texts_of(table)
    expected = classifier.predict_proba(texts)
    np.testing.assert_allclose(file.predict_proba(texts), expected, atol=1e-5)


def test_published_for_tensorflow_serving(joined, table, tmp_path):
    import tensorflow as tf

    assert saved_model([str(joined), f"--to={tmp_path}/served"]) == 0
    predict = tf.saved_model.load(str(tmp_path / "served" / "1")).signatures["serving_default"]
    texts = texts_of(table)
    found = predict(text=tf.constant(texts))["probabilities"].numpy()
    np.testing.assert_allclose(found, kerasclf.load(joined).predict_proba(texts), atol=1e-5)


def test_pruned_beside_an_unchanged_linear_part(joined, tmp_path):
    assert prune([str(joined), "--epochs=1", f"--output={tmp_path}"]) == 0
    run = tmp_path / "greetings-pruned" / "1"
    before, after = kerasclf.load(joined).keras, kerasclf.load(run).keras
    linear = [classifier.core.get_layer("linear").get_weights() for classifier in (before, after)]
    for first, second in zip(*linear, strict=True):
        np.testing.assert_array_equal(first, second)
    sparsity = json.loads((run / "metrics.json").read_text())["compression"]["sparsity"]
    assert sparsity["table"] > 0.5
