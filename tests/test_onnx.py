import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("onnx", reason="needs the extra onnx")

import onnx
import onnxruntime

from export import onnx as command
from export.program.golden import GOLDEN_TEXTS, ParityError
from export.program.inputs import describe_input
from export.tensorrt import export_onnx, onnx_file
from kerasclf.classifier import KerasClassifier
from kerasclf.decision.rule import Decision
from kerasclf.edge_runtime import encode
from kerasclf.run.layout import RunLayout


@pytest.fixture(scope="module")
def classifier(run):
    return KerasClassifier.load(run)


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "a model.onnx"
    assert command.main([str(run), f"--output={path}"]) == 0
    return path


def run_file(path, texts):
    session = onnxruntime.InferenceSession(path)
    rows = np.concatenate([encode(text, 48) for text in texts])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"bytes": rows}), strict=True))


def test_inputs_and_outputs(exported):
    session = onnxruntime.InferenceSession(exported)
    inputs = [(i.name, i.type, i.shape) for i in session.get_inputs()]
    assert inputs == [("bytes", "tensor(int32)", ["n", "length"])]
    assert {o.name: (o.type, o.shape) for o in session.get_outputs()} == {
        "probabilities": ("tensor(float)", ["n", 3]),
        "label": ("tensor(int32)", ["n"]),
        "review": ("tensor(int32)", ["n"]),
    }
    model = onnx.load(exported)
    assert {o.domain: o.version for o in model.opset_import}[""] == onnx_file.OPSET


def test_metadata(exported, run, classifier):
    held = {p.key: p.value for p in onnx.load(exported).metadata_props}
    metrics = json.loads((run / "metrics.json").read_text())
    assert held["format"] == "kerasclf-onnx-1"
    assert held["data_sha256"] == metrics["data_sha256"]
    assert json.loads(held["labels"]) == list(classifier.labels)
    assert json.loads(held["max_bytes"]) == 48
    assert json.loads(held["versions"]) == metrics["versions"]
    assert json.loads(held["source"]) == json.loads((run / "doctor.json").read_text())["source"]
    decision = json.loads(held["decision"])
    assert decision["temperature"] == classifier.decision.temperature


@pytest.mark.parametrize("count", [1, 2, 33])
def test_batches_of_any_size(count, exported, classifier):
    texts = [*GOLDEN_TEXTS, "guten Morgen", *(f"thank you {i}" for i in range(30))][-count:]
    found = run_file(exported, texts)
    np.testing.assert_allclose(found["probabilities"], classifier.predict_proba(texts), atol=1e-6)
    assert found["label"].shape == (count,)


@pytest.mark.parametrize("length", [18, 32, 48])
def test_batches_may_be_padded_to_their_longest_text(length, exported, classifier):
    texts = ["", "guten Morgen 😀", "a\0b"]
    rows = np.concatenate([encode(text, length) for text in texts])
    session = onnxruntime.InferenceSession(exported)
    (found,) = session.run(["probabilities"], {"bytes": rows})
    np.testing.assert_allclose(found, classifier.predict_proba(texts), atol=1e-6)


@pytest.mark.parametrize(
    "decision",
    [
        Decision(1.5, (2.0, -1.0, 0.5)),
        Decision(1.0, (0.0, 0.0, 0.0), ((0.0, 1.0, 9.0), (5.0, 0.0, 1.0), (1.0, 1.0, 0.0))),
    ],
)
def test_decision_is_inside_the_file(decision, classifier, run, tmp_path):
    decided = KerasClassifier(classifier.featurizer, classifier.core, classifier.labels, decision)
    texts = [*GOLDEN_TEXTS, "guten Morgen", "thank you Leeds", "saya makan nasi Solo"]
    # Between two confidences, so that some texts are flagged and rounding flags no other.
    middle = np.sort(decided.predict(texts)["confidence"])[[8, -1]].mean()
    decided.decision = replace(decision, review_below=float(middle))
    path = tmp_path / "m.onnx"
    onnx.save(onnx_file.convert(decided, describe_input(decided), RunLayout(run)), path)
    expected, found = decided.predict(texts), run_file(path, texts)
    labels = [classifier.labels[i] for i in found["label"]]
    assert labels == expected["predicted_label"].tolist()
    assert found["review"].astype(bool).tolist() == expected["review"].tolist()
    assert len(set(expected["review"])) == 2


def test_another_model_is_refused(classifier, exported):
    file_input = describe_input(classifier)
    assert onnx_file.check(exported, classifier, file_input) <= onnx_file.TOLERANCE
    warmer = replace(classifier.decision, temperature=classifier.decision.temperature * 3)
    other = KerasClassifier(classifier.featurizer, classifier.core, classifier.labels, warmer)
    with pytest.raises(ParityError, match="differ from Keras"):
        onnx_file.check(exported, other, file_input)
    shifted = replace(classifier.decision, offsets=(50.0, 0.0, 0.0))
    other = KerasClassifier(classifier.featurizer, classifier.core, classifier.labels, shifted)
    with pytest.raises(ParityError, match="other class ids"):
        onnx_file.check(exported, other, file_input)


def test_an_op_that_onnx_lacks_is_refused_and_not_left_behind(run, tmp_path, capfd):
    copy = tmp_path / "runs" / "1"
    shutil.copytree(run, copy)
    core = keras.saving.load_model(copy / "model.keras", compile=False)
    keras.Model(core.inputs, keras.ops.erfinv(core.output)).save(copy / "model.keras")
    output = tmp_path / "files" / "m.onnx"
    assert command.main([str(copy), f"--output={output}"]) == 2
    error = capfd.readouterr().err
    assert "was not kept: it is not valid ONNX" in error
    assert "Erfinv" in error
    assert list(output.parent.iterdir()) == []


def test_exact_gelu_is_expressed(tmp_path):
    inputs = keras.Input((3,))
    core = keras.Model(inputs, keras.ops.gelu(inputs, approximate=False))
    specs = [tf.TensorSpec([None, 3], tf.float32, name="x")]
    model = onnx_file.to_onnx(lambda x: {"y": core(x)}, specs)
    values = np.array([[-3.0, 0.0, 2.0], [0.5, -0.5, 9.0]], np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (found,) = session.run(None, {"x": values})
    np.testing.assert_allclose(found, core(values), atol=1e-6)


def test_trtexec_line(exported, run, capsys):
    output = exported.with_name("again.onnx")
    assert command.main([str(run), f"--output={output}", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["bytes"] == output.stat().st_size
    assert shlex.split(result["trtexec"]) == [
        "trtexec",
        f"--onnx={output}",
        "--minShapes=bytes:1x16",
        "--optShapes=bytes:32x48",
        "--maxShapes=bytes:256x48",
        f"--saveEngine={output.with_suffix('.engine')}",
        "--fp16",
    ]
    tokens = export_onnx.write_trtexec(output, {"padding_mask": 96, "token_ids": 96})
    assert "--optShapes=padding_mask:32x96,token_ids:32x96" in tokens


def test_bad_exports(run, tmp_path, capsys, monkeypatch):
    cases = {
        "no run given": [],
        "no run ": [str(tmp_path / "none")],
        "ends in .onnx": [str(run), f"--output={tmp_path}/model.bin"],
        "is not a folder": [str(run), f"--output={run}/labels.json/m.onnx"],
    }
    for message, arguments in cases.items():
        assert command.main(arguments) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
    monkeypatch.setattr(export_onnx, "NEEDED", ("no_such_package",))
    assert command.main([str(run), f"--output={tmp_path}/m.onnx"]) == 3
    assert '"kerasclf[onnx]"' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_as_a_module(run, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "export.onnx", str(run), f"--output={tmp_path}/m.onnx"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert (tmp_path / "m.onnx").is_file()
