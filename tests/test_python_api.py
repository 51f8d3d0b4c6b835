"""kerasclf from Python: train, look, predict, explain and export, without the command line."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import kerasclf
from kerasclf.edge_runtime import EdgeClassifier
from kerasclf.errors import UserError
from kerasclf.explanation.errors import explain_errors, mark_words
from kerasclf.explanation.words import Parts, explain
from kerasclf.files import load_record
from kerasclf.run.layout import RunLayout
from kerasclf.trained import Classifier

TEXTS = ["selamat pagi Solo", "good morning", "", "guten Morgen 😀", "x" * 500]
LINEAR = {"encoder": "linear", "max_bytes": 48}


@pytest.fixture(scope="module")
def frame(table):
    """The table with other names of columns, and one that parquet cannot hold as it is."""
    rows = pd.read_csv(table).rename(columns={"text": "tweet", "label": "language"})
    return rows.assign(mixed=[1, "a"] * (len(rows) // 2) + [None] * (len(rows) % 2))


@pytest.fixture(scope="module")
def trained(frame, tmp_path_factory, request):
    """A run of the linear part alone, with the file that a training keeps."""
    from conftest import KEPT

    folder = tmp_path_factory.mktemp("api")
    columns = {"text_column": "tweet", "label_column": "language"}
    classifier = kerasclf.train(frame, **columns, **LINEAR, output=folder, name="greetings")
    KEPT[0](classifier.layout)
    return Classifier.load(classifier.run)


def test_a_frame_is_trained_on(trained, frame):
    assert trained.run.parts[-2:] == ("greetings", "1")
    assert trained.labels == ("de", "en", "id")
    assert trained.metrics["macro_f1"] > 0.8
    low, high = trained.metrics.interval("macro_f1")
    assert low <= trained.metrics["macro_f1"] <= high
    assert "accuracy" in trained.metrics
    assert trained.metrics.record["name"] == "greetings"
    assert "<td>macro_f1</td>" in trained._repr_html_()
    # The run can read its rows again: they were written beside the runs.
    again = kerasclf.evaluate(trained)
    assert again["measures"]["macro_f1"]["value"] == trained.metrics["macro_f1"]


def test_predictions_are_those_of_keras(trained):
    light, keras = trained, Classifier.load(trained.run, keras=True)
    assert type(light._predictor).__name__ == "LightClassifier"
    expected, found = keras.predict(TEXTS), light.predict(TEXTS)
    assert found.dtypes.tolist() == expected.dtypes.tolist()
    assert found["predicted_label"].tolist() == expected["predicted_label"].tolist()
    np.testing.assert_allclose(light.predict_proba(TEXTS), keras.predict_proba(TEXTS), atol=1e-5)
    assert len(light.predict([])) == 0
    for texts in (tuple(TEXTS), pd.Series(TEXTS, index=range(5, 10)), np.array(TEXTS)):
        assert light.predict(texts)["predicted_label"].tolist() == found["predicted_label"].tolist()
    copy = pickle.loads(pickle.dumps(light))
    np.testing.assert_array_equal(copy.predict_proba(TEXTS), light.predict_proba(TEXTS))


@pytest.mark.parametrize("texts", ["dasar", None, b"dasar", 3, [["dasar"]], [None], [1.5]])
def test_what_is_no_list_of_strings_is_a_type_error(texts, trained):
    for method in (trained.predict, trained.predict_proba, trained.explain):
        with pytest.raises(TypeError, match=r"expected a (list of )?string") as caught:
            method(texts)
        assert "\n" not in str(caught.value)


def test_predicting_imports_no_tensorflow(trained):
    program = (
        "import sys, kerasclf\n"
        f"classifier = kerasclf.load({str(trained.run)!r})\n"
        "print(classifier.predict(['guten Morgen Berlin'])['predicted_label'][0])\n"
        "print(classifier.explain(['guten Morgen'])[0].label)\n"
        "print(sorted({'tensorflow', 'keras', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["de", "de", "[]"], done.stderr
    assert done.stderr == ""


def test_a_damaged_file_is_one_line(trained, tmp_path):
    import shutil

    shutil.copytree(trained.run, tmp_path / "run")
    (tmp_path / "run" / "model.tflite").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"model\.tflite is damaged"):
        Classifier.load(tmp_path / "run").predict(["a"])


def test_export_by_suffix(trained, tmp_path):
    file = trained.export(tmp_path / "m.tflite", recipe="float32")
    np.testing.assert_allclose(
        EdgeClassifier(file).predict_proba(TEXTS), trained.predict_proba(TEXTS), atol=1e-5
    )
    assert trained.export(tmp_path / "m.onnx").stat().st_size > 0
    version = trained.export(tmp_path / "served")
    assert (version / "saved_model.pb").is_file()
    with pytest.raises(UserError, match=r"ends in '\.zip'; expected \.tflite"):
        trained.export(tmp_path / "m.zip")
    with pytest.raises(UserError, match=r"is for a \.tflite"):
        trained.export(tmp_path / "m.onnx", recipe="float32")


def test_wrong_options_and_data(frame, tmp_path):
    with pytest.raises(TypeError, match="no option 'epoch'; did you mean 'epochs'"):
        kerasclf.train(frame, epoch=3)
    with pytest.raises(TypeError, match="data is a list"):
        kerasclf.train(["a"], output=tmp_path)
    with pytest.raises(UserError, match="has no column 'text', only tweet"):
        kerasclf.train(frame, output=tmp_path)
    with pytest.raises(UserError, match="options has seed: 'a'; expected int"):
        kerasclf.train(frame, seed="a")


def test_a_path_and_other_functions(table, tmp_path):
    runs = [
        kerasclf.train(str(table), **LINEAR, linear_c=c, name=f"c{c}", output=tmp_path)
        for c in (1.0, 3.0)
    ]
    compared = kerasclf.compare(*runs)
    assert {entry["run"] for entry in compared["runs"]} == {"c1.0/1", "c3.0/1"}
    folds = kerasclf.crossval(table, folds=2, **LINEAR, output=tmp_path)
    assert len(folds["folds"]) == 2
    measured = kerasclf.evaluate(runs[0], data=table)
    assert measured["rows"] > 50


def test_contributions_by_hand():
    """A model that counts: each "good" triples the odds of class 1, each "bad" thirds them."""

    def log_odds(texts):
        return np.log(3) * np.array([text.count("good") - text.count("bad") for text in texts])

    def network(texts):
        return np.stack([np.zeros(len(texts)), log_odds(texts)], axis=1)

    def predict(texts):
        odds = np.exp(log_odds(texts))
        probabilities = np.stack([1 / (1 + odds), odds / (1 + odds)], axis=1)
        return probabilities.argmax(axis=1), np.zeros(len(texts), bool), probabilities

    texts = ["a good  good day", "bad", "", "  "]
    one, two, *none = explain(predict, Parts(network), ("no", "yes"), texts)
    assert (one.text, one.label) == ("a good  good day", "yes")
    np.testing.assert_allclose(one.probability, 0.9)
    assert [word.text for word in one.words] == ["a", "good", "good", "day"]
    expected = [0, np.log(3), np.log(3), 0]
    np.testing.assert_allclose([word.contribution for word in one.words], expected, atol=1e-12)
    assert [one.text[w.start : w.end] for w in one.words] == ["a ", "good  ", "good ", "day"]
    assert one.strongest(1)[0].text == "good"
    assert two.label == "no"
    np.testing.assert_allclose(two.words[0].contribution, np.log(3))
    assert [explanation.words for explanation in none] == [(), ()]


def test_a_long_text_is_explained_in_parts(trained):
    (found,) = trained.explain(["guten Morgen " * 400])
    assert 0 < len(found.words) <= 100
    assert "".join(found.text[w.start : w.end] for w in found.words) == found.text


def test_the_deciding_word_is_found(trained):
    (found,) = trained.explain(["zzz Morgen qqq"])
    assert found.label == "de"
    assert found.strongest(1)[0].text == "Morgen"


def test_the_command_colors_words(trained, capsys):
    from kerasclf import cli

    assert cli.main(["explain", str(trained.run), "guten Morgen", "good morning"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("de  ")
    assert "Morgen +" in printed
    assert cli.main(["explain", str(trained.run)]) == 2
    assert "found no text" in capsys.readouterr().err


def test_the_worst_errors_of_a_report_are_explained(run):
    metrics = load_record(RunLayout(run).metrics)
    errors = metrics["test"]["worst_errors"]
    for error in errors:
        pieces = mark_words(error)
        assert "".join(text for text, _ in pieces) == error["text"]
        assert [c for _, c in pieces if c] == [c for _, _, c in error["words"]]
    assert not errors or any(error["words"] for error in errors)


def test_a_text_that_is_decided_otherwise_in_part_is_not_marked(trained):
    errors = [{"text": "zzz Morgen qqq", "predicted_label": label} for label in ("de", "en")]
    explain_errors(errors, trained.run_on, trained.parts, trained.labels)
    assert [bool(error["words"]) for error in errors] == [True, False]


SMALL = {"buckets": 256, "embedding_dim": 4, "filters": 4, "max_bytes": 48, "epochs": 1}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # KerasTuner names threads in the old way
def test_a_space_is_searched_and_its_best_trial_trained(frame, tmp_path):
    columns = {"text_column": "tweet", "label_column": "language"}
    options = columns | SMALL | {"output": tmp_path, "name": "found", "linear": "none"}
    result = kerasclf.search(
        frame, {"dropout": [0.0, 0.2]}, algorithm="grid", final_seeds=0, **options
    )
    assert result["completed"] == 2
    assert set(result["best"]["values"]) == {"dropout"}
    leaderboard = pd.read_csv(tmp_path / "found-search" / "leaderboard.csv")
    assert sorted(leaderboard["--dropout"]) == [0.0, 0.2]


def test_a_space_that_cannot_be_searched_is_an_error(frame, tmp_path):
    options = {"text_column": "tweet", "label_column": "language", "output": tmp_path}
    for space, more, message in (
        ({"dropuot": [0.1]}, {}, "the space has 'dropuot'; perhaps you meant dropout"),
        ({"dropout": [0.1]}, {"algorithm": "best"}, "algorithm is 'best'; expected grid, random"),
        (None, {}, "space is a NoneType; expected a mapping or a file"),
        ("none", {}, "there is no --space none"),
    ):
        with pytest.raises(UserError, match=message):
            kerasclf.search(frame, space, **options, **more)
    with pytest.raises(TypeError, match="'trails'; did you mean"):
        kerasclf.search(frame, "bytes", trails=3, **options)


@pytest.mark.slow
def test_a_student_is_distilled_from_runs_or_from_labels_and_texts(frame, tmp_path):
    columns = {"text_column": "tweet", "label_column": "language", "output": tmp_path}
    (tmp_path / "tiny.yaml").write_text("buckets: 256\nembedding_dim: 4\nfilters: 4\nepochs: 1\n")
    options = {"student": str(tmp_path / "tiny.yaml"), "name": "taught"}
    posts = pd.DataFrame({"tweet": [f"selamat {word} semua" for word in ("pagi", "sore", "malam")]})
    student = kerasclf.distill(
        teacher="bytes", data=frame, unlabelled=posts, **columns, **options, **SMALL
    )
    assert isinstance(student, Classifier)
    assert student.labels == ("de", "en", "id")
    assert student.metrics.record["distillation"]["unlabelled"]["used"] == 3
    teacher = kerasclf.load(tmp_path / "taught-teacher")
    again = kerasclf.distill(teacher, output=tmp_path, **options | {"name": "other"})
    assert again.run.parent.name == "other"
    with pytest.raises(UserError, match="found runs together with --teacher"):
        kerasclf.distill(teacher, teacher="bytes", data=frame, **columns)
    with pytest.raises(UserError, match="need teacher=ENCODER"):
        kerasclf.distill(teacher, data=frame)
