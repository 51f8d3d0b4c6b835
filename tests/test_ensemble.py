import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from conftest import SMALL

import kerasclf
from export.program.inputs import describe_input
from export.tensorrt.onnx_file import OnnxFile
from kerasclf import cli
from kerasclf.decision.voting import fit_weights
from kerasclf.edge_runtime import EdgeClassifier
from kerasclf.models.joined import JoinedFeaturizer
from kerasclf.train import main as train


def test_weights_by_hand():
    # Each member is right on one half of the rows, as sure as the other: by symmetry, equal.
    assert fit_weights(np.array([[0.9, 0.2], [0.2, 0.9]])) == pytest.approx([0.5, 0.5])
    # A member that is less sure of every true class has no part.
    assert fit_weights(np.array([[0.5, 0.6], [0.4, 0.5]])).tolist() == [1, 0]
    # Log loss of w * .8 + (1 - w) * .4 once and w * .2 + (1 - w) * .4 once:
    # .4 / (.4 + .4 w) = .2 / (.4 - .2 w) at w = 0.5.
    assert fit_weights(np.array([[0.8, 0.2], [0.4, 0.4]])) == pytest.approx([0.5, 0.5], abs=1e-4)


def test_weights_have_the_lowest_log_loss():
    random = np.random.default_rng(0)
    probabilities = random.beta([[5], [2], [3]], 2, size=(3, 300))
    found = fit_weights(probabilities)
    assert found.sum() == pytest.approx(1)

    def log_loss(weights):
        return -np.log(weights @ probabilities).mean()

    lowest = min(log_loss(weights) for weights in random.dirichlet(np.ones(3), 2000))
    assert log_loss(found) <= lowest + 1e-4


@pytest.fixture(scope="module")
def runs(run, table, tmp_path_factory):
    """A folder of runs: two members on one split, and ensembles of them."""
    output = tmp_path_factory.mktemp("voting")
    shutil.copytree(run, output / "first" / "1")
    options = [f"--split={run}", f"--output={output}", "--name=second", "--epochs=3", "--seed=1"]
    assert train([f"--data={table}", *options, *SMALL]) == 0
    members = [str(output / "first" / "1"), str(output / "second" / "1")]
    for weights in ("equal", "auto"):
        arguments = [*members, f"--weights={weights}", f"--name={weights}", f"--output={output}"]
        assert cli.main(["ensemble", *arguments]) == 0
    return output


TEXTS = ["selamat pagi", "good evening York", "", "bis später", "\ud800"]


def test_an_ensemble_is_the_mean_of_its_members(runs):
    members = [kerasclf.load(runs / name / "1").keras for name in ("first", "second")]
    whole = kerasclf.load(runs / "equal").keras
    expected = np.mean([member.predict_proba(TEXTS) for member in members], axis=0)
    np.testing.assert_allclose(np.exp(whole.logits(TEXTS)), expected, rtol=1e-4, atol=1e-6)
    assert len(whole.predict(TEXTS)) == len(TEXTS)
    assert whole.predict([]).empty


def test_an_ensemble_is_a_run(runs, capsys):
    run = runs / "equal" / "1"
    metrics = json.loads((run / "metrics.json").read_text())
    assert [path.name for path in run.parent.iterdir()] == ["1"]
    assert metrics["encoder"] == "ensemble"
    assert [member["weight"] for member in metrics["ensemble"]["members"]] == [0.5, 0.5]
    capsys.readouterr()
    assert cli.main(["evaluate", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["measures"] == metrics["test"]["measures"]
    assert cli.main(["predict", str(run), "selamat pagi", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["predictions"][0]["text"] == "selamat pagi"
    splits = [pd.read_parquet(r / "split.parquet") for r in (runs / "first" / "1", run)]
    pd.testing.assert_frame_equal(*splits)
    difference = metrics["ensemble"]["macro_f1_difference"]["difference"]
    best = max(metrics["ensemble"]["members"], key=lambda member: member["validation_macro_f1"])
    assert metrics["ensemble"]["best_member"] == best["run"]
    value = metrics["test"]["measures"]["macro_f1"]["value"]
    assert difference == pytest.approx(value - best["test_macro_f1"])
    report = (run / "report.html").read_text()
    assert "its best member" in report
    assert report.count("<svg") == 7
    assert "its best member" in (run / "model_card.md").read_text()


def test_auto_weights_are_those_of_validation_rows(runs):
    frames = [
        pd.read_parquet(runs / name / "1" / "predictions.parquet").query("split == 'validation'")
        for name in ("first", "second")
    ]
    right = [
        [row[f"p_{row['label']}"] for _, row in frame.sort_values("row").iterrows()]
        for frame in frames
    ]
    kept = json.loads((runs / "auto" / "1" / "ensemble.json").read_text())
    assert kept["weights"] == pytest.approx(fit_weights(np.array(right)).tolist(), abs=1e-4)
    assert kept["members"] == ["../../first/1", "../../second/1"]


def test_an_ensemble_is_compared_with_its_members(runs, capsys):
    members = [str(runs / name / "1") for name in ("first", "second", "equal")]
    capsys.readouterr()
    assert cli.main(["compare", *members, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    costs = {entry["run"]: entry["cost"]["size_bytes"] for entry in result["runs"]}
    assert costs["equal/1"] == costs["greetings/1"] + costs["second/1"]


def test_runs_move_together(runs, tmp_path, capsys):
    moved = shutil.copytree(runs, tmp_path / "moved")
    expected = kerasclf.load(runs / "equal").keras.logits(TEXTS)
    np.testing.assert_array_equal(kerasclf.load(moved / "equal").keras.logits(TEXTS), expected)
    shutil.rmtree(moved / "second")
    capsys.readouterr()
    assert cli.main(["predict", str(moved / "equal"), "a"]) == 2
    assert "its member" in capsys.readouterr().err


NETWORKS = [["compress", "--budget=size<1MB"], ["prune"], ["distill"]]


@pytest.mark.parametrize("arguments", NETWORKS)
def test_what_needs_one_network_refuses_an_ensemble(arguments, runs, capsys):
    capsys.readouterr()
    assert cli.main([arguments[0], str(runs / "equal"), *arguments[1:]]) == 2
    captured = capsys.readouterr()
    assert "is an ensemble; expected one network" in captured.err
    assert captured.err.count("\n") == 1


@pytest.fixture(scope="module")
def mixed(table, both_kept, tmp_path_factory):
    """An ensemble of two runs, the second with a linear part."""
    output = tmp_path_factory.mktemp("mixed")
    options = [f"--data={table}", f"--output={output}", "--epochs=12", *SMALL]
    assert train([*options, "--name=network"]) == 0
    split = f"--split={output}/network"
    assert train([*options, split, "--name=both", "--linear=tfidf", "--max-bytes=40"]) == 0
    members = [output / "network", output / "both"]
    assert cli.main(["ensemble", *map(str, members), "--name=mixed", f"--output={output}"]) == 0
    return output / "mixed"


def test_members_are_parts_of_one_model(mixed):
    whole, *members = (
        kerasclf.load(mixed.with_name(n)).keras for n in ("mixed", "network", "both")
    )
    assert isinstance(members[1].featurizer, JoinedFeaturizer)
    expected = np.mean([member.predict_proba(TEXTS) for member in members], axis=0)
    np.testing.assert_allclose(np.exp(whole.logits(TEXTS)), expected, rtol=1e-4, atol=1e-6)
    assert whole.featurizer.inputs == {"bytes": 48}


def test_an_ensemble_is_one_graph_for_tensorflow_serving(mixed, tmp_path):
    assert cli.main(["saved_model", str(mixed), f"--to={tmp_path}/served"]) == 0
    predict = tf.saved_model.load(str(tmp_path / "served" / "1")).signatures["serving_default"]
    found = predict(text=tf.constant([text.encode("utf-8", "replace") for text in TEXTS]))
    expected = kerasclf.load(mixed).predict(TEXTS)
    assert [label.decode() for label in found["label"].numpy()] == list(expected["predicted_label"])
    np.testing.assert_allclose(
        found["probabilities"].numpy(), kerasclf.load(mixed).predict_proba(TEXTS), atol=1e-5
    )


def test_an_ensemble_is_one_onnx_file(mixed, tmp_path):
    file = tmp_path / "model.onnx"
    assert cli.main(["onnx", str(mixed), f"--output={file}"]) == 0
    found = OnnxFile(file, describe_input(kerasclf.load(mixed).keras)).predict_proba(TEXTS)
    np.testing.assert_allclose(found, kerasclf.load(mixed).predict_proba(TEXTS), atol=1e-5)


@pytest.mark.parametrize("recipe", ["float32", "dynamic_int8"])
def test_an_ensemble_is_one_tflite(mixed, tmp_path, recipe):
    file = tmp_path / "model.tflite"
    options = [f"--output={file}", f"--recipe={recipe}", "--max-drop=0.3"]
    assert cli.main(["tflite", str(mixed), *options]) == 0
    difference = EdgeClassifier(file).predict_proba(TEXTS) - kerasclf.load(mixed).predict_proba(
        TEXTS
    )
    assert np.abs(difference).max() < (1e-5 if recipe == "float32" else 0.2)


def test_bad_ensembles(runs, table, tmp_path, capsys):
    other = shutil.copytree(runs / "first" / "1", tmp_path / "other")
    frame = pd.read_parquet(other / "predictions.parquet")
    frame["text"] = frame["text"] + "!"
    frame.to_parquet(other / "predictions.parquet", index=False)
    turned = shutil.copytree(runs / "first" / "1", tmp_path / "turned")
    metrics = json.loads((turned / "metrics.json").read_text())
    (turned / "metrics.json").write_text(json.dumps(metrics | {"labels": ["id", "en", "de"]}))
    first, second = (str(runs / name / "1") for name in ("first", "second"))
    cases = {
        "found 1 run": [first],
        "is given 2 times": [first, first],
        "validation rows and .*, of which 0 are the same": [first, str(other)],
        "have different labels or label orders": [first, str(turned)],
        "no run": [first, str(tmp_path / "none")],
        "--weights": [first, second, "--weights=best"],
    }
    for message, arguments in cases.items():
        capsys.readouterr()
        assert cli.main(["ensemble", *arguments, f"--output={tmp_path}/runs"]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert re.search(message, captured.err), captured.err
    assert not (tmp_path / "runs").exists()
