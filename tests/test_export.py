import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from conftest import SMALL

from export import edge, tflite
from export.litert.convert import append_metadata, convert
from export.litert.gate import (
    check_agreement,
    check_ops,
    check_same_labels,
    check_size,
    compare,
)
from export.litert.recipes import RECIPES
from export.program.golden import GOLDEN_TEXTS, GateError, ParityError, check_golden
from export.program.inputs import describe_input
from kerasclf.classifier import KerasClassifier
from kerasclf.decision.rule import Decision
from kerasclf.edge_runtime import EdgeClassifier, encode, read_metadata
from kerasclf.train import main as train


@pytest.fixture(scope="module")
def classifier(run):
    return KerasClassifier.load(run)


def write(classifier, path):
    """The float32 file of a classifier, loaded."""
    model = convert(classifier, describe_input(classifier), RECIPES["float32"], [])
    metadata = {"labels": classifier.labels, "max_bytes": classifier.featurizer.max_bytes}
    path.write_bytes(append_metadata(model, metadata))
    return EdgeClassifier(path)


def test_file_is_measured_on_test_rows_only_when_asked(run, tmp_path, capsys):
    arguments = [str(run), f"--output={tmp_path}/m.tflite", "--recipe=float32", "--json"]
    assert tflite.main(arguments) == 0
    assert "test" not in json.loads(capsys.readouterr().out)
    assert tflite.main([*arguments, "--on-test"]) == 0
    test = json.loads(capsys.readouterr().out)["test"]
    metrics = json.loads((run / "metrics.json").read_text())
    assert test["rows"] == metrics["rows"]["test"]
    assert test["macro_f1"]["value"] == pytest.approx(test["run_macro_f1"])
    assert test["difference"]["difference"] == 0


def test_agreement_with_keras_is_measured_and_demanded(run, tmp_path, capsys):
    output = tmp_path / "m.tflite"
    arguments = [str(run), f"--output={output}", "--json"]
    assert tflite.main([*arguments, "--recipe=float32", "--min-agreement=1"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["same_label"] == result["same_label_perturbed"] == 1
    output.unlink()
    assert tflite.main([*arguments, "--min-agreement=1.1"]) == 2
    assert "expected a share from 0 to 1" in capsys.readouterr().err


@pytest.mark.parametrize(("same", "perturbed"), [(0.99, 1.0), (1.0, 0.98)])
def test_gate_refuses_a_file_that_agrees_too_rarely(same, perturbed):
    check_same_labels(same, perturbed, 0.98)
    with pytest.raises(GateError, match=r"99\.00% of the validation|98\.00% of the perturbed"):
        check_same_labels(same, perturbed, 0.995)


def test_encode():
    assert encode("aé", 5).tolist() == [[97, 195, 169, 0, 0]]
    assert encode("abc", 2).tolist() == [[97, 98]]
    assert encode("", 2).dtype == np.int32


def test_outputs_are_in_order(tiny_file):
    interpreter = Interpreter(model_content=tiny_file.read_bytes())
    outputs = [(list(o["shape"]), o["dtype"]) for o in interpreter.get_output_details()]
    assert outputs == [([1, 3], np.float32), ([1], np.int32), ([1], np.int32)]
    interpreter.allocate_tensors()
    classifier = EdgeClassifier(tiny_file)
    for text in GOLDEN_TEXTS:
        named = classifier.run(text)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], encode(text, 48))
        interpreter.invoke()
        by_place = [interpreter.get_tensor(o["index"]) for o in interpreter.get_output_details()]
        for name, found in zip(("probabilities", "label", "review"), by_place, strict=True):
            np.testing.assert_array_equal(named[name], found)


def test_metadata_describe_labels_and_run(tiny_file, run):
    with zipfile.ZipFile(tiny_file) as archive:
        assert archive.namelist() == ["metadata.json"]
    metadata = read_metadata(tiny_file.read_bytes())
    assert metadata["labels"] == ["de", "en", "id"]
    metrics = json.loads((run / "metrics.json").read_text())
    assert metadata["data_sha256"] == metrics["data_sha256"]
    assert metadata["keras_test_measures"] == metrics["test"]["measures"]


@pytest.mark.parametrize(
    "decision",
    [
        Decision(0.7, (0.0, 0.0, 0.0)),
        Decision(1.5, (2.0, -1.0, 0.5), review_below=0.7),
        Decision(1.0, (0.0, 0.0, 0.0), ((0.0, 1.0, 9.0), (5.0, 0.0, 1.0), (1.0, 1.0, 0.0)), 0.9),
    ],
)
def test_decision_is_inside_the_file(decision, classifier, tmp_path):
    decided = KerasClassifier(classifier.featurizer, classifier.core, classifier.labels, decision)
    file = write(decided, tmp_path / "m.tflite")
    texts = [*GOLDEN_TEXTS, "guten Morgen", "thank you Leeds", "saya makan nasi Solo"]
    expected = decided.predict(texts)
    predictions = [file.classify(text) for text in texts]
    assert [entry["label"] for entry in predictions] == expected["predicted_label"].tolist()
    assert [entry["review"] for entry in predictions] == expected["review"].tolist()


def test_gate_refuses_ops_that_devices_lack():
    @tf.function(input_signature=[tf.TensorSpec([1], tf.string)])
    def needs_flex(text):
        return tf.strings.length(tf.strings.lower(text))

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [needs_flex.get_concrete_function()]
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.SELECT_TF_OPS]
    with pytest.raises(GateError, match="Flex"):
        check_ops(converter.convert())


def test_gate_refuses_a_file_without_its_weights():
    check_size(b"x" * 4_100_000, 1_000_000, 800_000, RECIPES["float32"])
    with pytest.raises(GateError, match="expected 3200000"):
        check_size(b"x" * 50_000, 1_000_000, 800_000, RECIPES["float32"])
    with pytest.raises(GateError, match="4100000 bytes"):
        check_size(b"x" * 4_100_000, 1_000_000, 800_000, RECIPES["dynamic_int8"])


def test_parity_check_refuses_another_model(classifier, tmp_path):
    file = write(classifier, tmp_path / "m.tflite")
    assert check_golden(file.predict_proba, classifier, 1e-5) <= 1e-5
    other = KerasClassifier(
        classifier.featurizer,
        classifier.core,
        classifier.labels,
        replace(classifier.decision, temperature=classifier.decision.temperature * 3),
    )
    with pytest.raises(ParityError, match="probabilities differ from Keras"):
        check_golden(file.predict_proba, other, 1e-5)


@pytest.mark.parametrize("wrong", [slice(None), slice(4, 5)], ids=["all", "one"])
def test_parity_check_refuses_nan(wrong, classifier):
    probabilities = classifier.predict_proba(GOLDEN_TEXTS)
    probabilities[wrong] = np.nan
    with pytest.raises(ParityError, match="differ from Keras by nan") as caught:
        check_golden(lambda texts: probabilities, classifier, 1.0)
    assert repr(GOLDEN_TEXTS[wrong][0]) in str(caught.value)


def test_gate_counts_drops_beyond_one_row():
    class_ids = np.repeat([0, 1], [90, 10])
    one_off, two_off = class_ids.copy(), class_ids.copy()
    one_off[-1:] = 0
    two_off[-2:] = 0
    labels = ("x", "y")
    assert compare(class_ids, one_off, class_ids, labels).worst_recall_drop == 0
    agreement = compare(class_ids, two_off, class_ids, labels)
    assert agreement.worst_recall_drop == pytest.approx(0.1)
    assert agreement.worst_class == "y"
    assert agreement.macro_f1_drop > 0
    with pytest.raises(GateError, match="drops by"):
        check_agreement(agreement, 0.05)
    check_agreement(agreement, 0.2)


def test_refused_file_is_not_left_behind(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(RECIPES, "float32", replace(RECIPES["float32"], tolerance=-1))
    output = tmp_path / "m.tflite"
    assert tflite.main([str(run), f"--output={output}", "--recipe=float32"]) == 2
    assert "was not kept: probabilities differ" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_bad_exports(run, tmp_path, capsys):
    cases = {
        "no run given": [],
        "no run ": [str(tmp_path / "none")],
        "ends in .tflite": [str(run), f"--output={tmp_path}/model.bin"],
        "is not a folder": [str(run), f"--output={run}/labels.json/m.tflite"],
        "--recipe is 'int3'; expected one of float32, float16": [str(run), "--recipe=int3"],
    }
    for message, arguments in cases.items():
        assert tflite.main(arguments) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_op_that_devices_lack_is_named(run, tmp_path, capsys):
    copy = tmp_path / "runs" / "1"
    shutil.copytree(run, copy)
    core = keras.saving.load_model(copy / "model.keras", compile=False)
    keras.Model(core.inputs, keras.ops.erfinv(core.output)).save(copy / "model.keras")
    for recipe in ("float32", "int4_embedding"):
        output = tmp_path / "files" / "m.tflite"
        assert tflite.main([str(copy), f"--output={output}", f"--recipe={recipe}"]) == 2
        captured = capsys.readouterr()
        assert captured.err.endswith("ops that a device does not have: Erfinv\n")
        assert not output.parent.exists()


def test_recipes_are_listed_and_checked_without_tensorflow():
    code = (
        "import sys; from export.tflite import main; code = main(sys.argv[1:]); "
        "assert not {'tensorflow', 'ai_edge_quantizer'} & set(sys.modules); sys.exit(code)"
    )

    def run_command(argument):
        command = [sys.executable, "-c", code, argument]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    refused = run_command("--recipe=int3")
    assert refused.returncode == 2
    assert refused.stderr.endswith(f"expected one of {', '.join(RECIPES)}\n")
    listed = run_command("--help")
    assert listed.returncode == 0
    assert all(name in listed.stdout for name in RECIPES)


def test_a_run_without_its_model_is_not_a_run(run, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "runs" / "1", ignore=shutil.ignore_patterns("model.keras"))
    for command in (tflite, edge):
        output = tmp_path / "files" / "m.tflite"
        assert command.main([str(tmp_path / "runs" / "1"), f"--output={output}"]) == 2
        captured = capsys.readouterr()
        assert "is not a run: it has no metrics.json and model.keras" in captured.err
        assert captured.err.count("\n") == 1
        assert not output.parent.exists()


def test_calibration_refuses_changed_data(table, tmp_path, capsys):
    data = tmp_path / "t.csv"
    data.write_text(table.read_text())
    assert train([f"--data={data}", f"--output={tmp_path}/runs", "--epochs=1", *SMALL]) == 0
    pd.read_csv(data).sample(frac=1, random_state=0).to_csv(data, index=False)
    arguments = [f"{tmp_path}/runs/t", f"--output={tmp_path}/m.tflite", "--recipe=full_int8"]
    assert tflite.main(arguments) == 2
    assert "the data has changed" in capsys.readouterr().err
