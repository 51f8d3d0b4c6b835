import json
import shutil

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import SMALL
from scipy.special import log_softmax, softmax

from export import distill, teachers
from export.transfer import MOST_WORDS, mix_texts
from kerasclf.config import TrainConfig
from kerasclf.job.folds import folds, out_of_fold
from kerasclf.job.prepare import prepare_job
from kerasclf.job.train_rows import train_classifier
from kerasclf.training.distillation import DistillationLoss, Teaching
from kerasclf.training.losses import SparseFocalLoss

LOGITS = np.array([[1.0, -1.0, 0.5], [0.2, 0.1, 0.0]], dtype=np.float32)
SOFT = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype=np.float32)
LABELS = np.array([0, 2])
TARGETS = np.concatenate([LABELS[:, None], SOFT], axis=1).astype(np.float32)


def test_alpha_zero_is_the_hard_loss():
    hard = SparseFocalLoss(1.5, [1.0, 2.0, 3.0], 0.1)
    loss = DistillationLoss(hard, temperature=3.0, alpha=0.0)
    assert float(loss(TARGETS, LOGITS)) == pytest.approx(float(hard(LABELS, LOGITS)), rel=1e-6)


def test_divergence_by_hand():
    loss = DistillationLoss(SparseFocalLoss(0.0), temperature=2.0, alpha=1.0)
    q, p = softmax(np.log(SOFT) / 2, axis=1), softmax(LOGITS / 2, axis=1)
    expected = 4 * (q * np.log(q / p)).sum(axis=1).mean()
    assert float(loss(TARGETS, LOGITS)) == pytest.approx(expected, rel=1e-5)


def test_a_student_that_agrees_with_its_teacher_has_no_divergence():
    for temperature in (0.5, 1.0, 4.0):
        loss = DistillationLoss(SparseFocalLoss(0.0), temperature, alpha=1.0)
        assert float(loss(TARGETS, np.log(SOFT) + 3)) == pytest.approx(0, abs=1e-6)


def test_rows_without_a_label_learn_from_the_teacher_alone():
    loss = DistillationLoss(SparseFocalLoss(0.0), 1.0, 0.5, reduction=None)
    unlabelled = TARGETS.copy()
    unlabelled[:, 0] = -1
    teacher = DistillationLoss(SparseFocalLoss(0.0), 1.0, 1.0, reduction=None)
    np.testing.assert_allclose(
        loss(unlabelled, LOGITS), 0.5 * np.array(teacher(TARGETS, LOGITS)), rtol=1e-6
    )


def test_loss_is_serializable_and_strict():
    loss = DistillationLoss(SparseFocalLoss(2.0, [1.0, 2.0, 3.0]), 3.0, 0.3)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert float(again(TARGETS, LOGITS)) == float(loss(TARGETS, LOGITS))
    for bad in ({"temperature": 0}, {"alpha": 1.5}):
        with pytest.raises(ValueError, match="expected"):
            DistillationLoss(SparseFocalLoss(), **bad)


def test_teaching_extends_rows_and_is_kept(tmp_path):
    teaching = Teaching(SOFT, 2.0, 0.7, ["c", "d"], SOFT[::-1].copy())
    texts, order, targets = teaching.extend(["a", "b"], LABELS)
    assert texts == ["a", "b", "c", "d"]
    assert order.tolist() == [0, 2, 2, 0]
    assert targets[:, 0].tolist() == [0, 2, -1, -1]
    np.testing.assert_array_equal(targets[:, 1:], np.concatenate([SOFT, SOFT[::-1]]))
    teaching.save(tmp_path / "teaching.npz")
    again = Teaching.load(tmp_path / "teaching.npz")
    assert (again.temperature, again.alpha, again.texts) == (2.0, 0.7, ["c", "d"])
    np.testing.assert_array_equal(again.extend(["a", "b"], LABELS)[2], targets)


def test_a_new_row_has_the_soft_labels_of_the_row_it_was_made_of():
    teaching = Teaching(SOFT, 2.0, 0.7, ["d"], SOFT[:1]).repeat(np.array([1]))
    texts, order, targets = teaching.extend(["a", "b", "b!"], np.array([0, 2, 2]))
    assert texts == ["a", "b", "b!", "d"]
    assert order.tolist() == [0, 2, 2, 0]
    np.testing.assert_array_equal(targets[:, 1:], SOFT[[0, 1, 1, 0]])


def test_average_by_hand():
    opinions = [np.log(SOFT), np.log(np.full((2, 3), 1 / 3))]
    np.testing.assert_allclose(teachers.average(opinions, [1.0, 1e-12]), SOFT, rtol=1e-5)
    expected = softmax(0.5 * np.log(SOFT), axis=1)
    np.testing.assert_allclose(teachers.average(opinions, [1.0, 1.0]), expected, rtol=1e-5)


def test_whole_teachers_are_asked_once(tmp_path):
    asked = []

    def load():
        asked.append("loaded")
        return lambda texts: np.log(np.full((len(texts), 2), 0.5))

    for texts in (["a", "b"], ["a", "b"], ["ab"]):
        found = teachers.say_once("t", load, texts, tmp_path / "soft_labels")
        assert found.shape == (len(texts), 2)
    assert len(asked) == 2


def test_a_teacher_that_is_cut_off_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(teachers, "PART", 2)
    texts, said = ["a", "bb", "ccc", "dddd", "eeeee"], []

    def lengths(part):
        if "ccc" in part and len(said) == 1:
            said.append("killed")
            raise KeyboardInterrupt
        said.append(part)
        return np.array([[len(text), 0.0] for text in part])

    with pytest.raises(KeyboardInterrupt):
        teachers.say_once("t", lambda: lengths, texts, tmp_path)
    found = teachers.say_once("t", lambda: lengths, texts, tmp_path)
    assert found[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert said == [["a", "bb"], "killed", ["ccc", "dddd"], ["eeeee"]]
    assert "t: texts 3 to 4 of 5" in capsys.readouterr().err


def test_mixtures_are_cuts_of_two_texts():
    texts = ["a1 a2 a3 a4 a5 a6 a7 a8 a9", "b1 b2 b3 b4", "  ", "c1", " ".join(["long"] * 999)]
    mixed = mix_texts(texts, 400, seed=3)
    assert mixed == mix_texts(texts, 400, seed=3) != mix_texts(texts, 400, seed=4)
    assert mixed[:100] == mix_texts(texts, 100, seed=3)
    assert all(mixed)
    assert max(len(text.split()) for text in mixed) <= 2 * MOST_WORDS
    assert {word for text in mixed for word in text.split()} == set(" ".join(texts).split())
    kept = [words for text in texts if (words := text.split())]
    cuts = {tuple(w[i:j]) for w in kept for i in range(len(w)) for j in range(i + 1, len(w) + 1)}
    for text in mixed[::2]:
        words = tuple(text.split())
        assert any(words[:i] in cuts and words[i:] in cuts for i in range(1, len(words)))
    assert mix_texts(["tanpaspasi"], 2, seed=0) == ["tanpaspasi tanpaspasi"] * 2


@pytest.fixture(scope="module")
def job(table):
    return prepare_job(TrainConfig(data=table))


def test_no_teacher_labels_a_row_that_it_learned_from(job, tmp_path):
    texts, _ = job.texts_and_classes("train")
    validation_texts, _ = job.texts_and_classes("validation")
    asked, calls = [], []

    def train(rows):
        calls.append(len(rows[0]))

        def teacher(held):
            assert not set(held) & set(rows[0])
            asked.extend(held[: -len(validation_texts)])
            assert held[-len(validation_texts) :] == validation_texts
            return log_softmax(np.random.default_rng(0).normal(size=(len(held), 3)), axis=1)

        return teacher

    found, validation = out_of_fold("t", train, job, 3, tmp_path / "cache")
    assert sorted(asked) == sorted(texts)
    assert np.isfinite(found).all()
    assert validation.shape == (3, len(validation_texts), 3)
    # Once more, from the cache.
    again, _ = out_of_fold("t", train, job, 3, tmp_path / "cache")
    assert len(calls) == 3
    np.testing.assert_array_equal(found, again)


def test_new_rows_of_a_fold_are_made_of_its_own_rows(job, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    small = dict(option.removeprefix("--").replace("-", "_").split("=") for option in SMALL)
    sizes = {k: float(v) if "." in v else int(v) for k, v in small.items()}
    config = TrainConfig(augment="keyboard", epochs=1, **sizes).resolved()
    texts, classes = job.texts_and_classes("train")
    rows = texts[::2], classes[::2]
    soft = np.eye(3, dtype=np.float32)[rows[1]]
    classifier = train_classifier(config, job, rows, Teaching(soft, 2.0, 0.5))
    assert classifier.logits(texts[:2]).shape == (2, 3)
    (made,) = (pd.read_parquet(path) for path in tmp_path.rglob("*.parquet"))
    assert len(made) >= len(rows[0]) / 2
    assert set(made["source"]) <= set(range(len(rows[0])))


def test_folds_keep_near_duplicates_together(job):
    groups = job.split.loc[job.split["split"] == "train", "group"].to_numpy()
    for learned, held in folds(job, 3, 0):
        assert not set(groups[learned]) & set(groups[held])


def test_distill(run, table, tmp_path, capsys):
    student = tmp_path / "student.yaml"
    options = dict(option.removeprefix("--").split("=") for option in SMALL)
    lines = [f"{key.replace('-', '_')}: {value}" for key, value in options.items()]
    student.write_text("\n".join([*lines, "epochs: 8"]))
    (tmp_path / "more.csv").write_text("text\nselamat malam Surabaya\ngood evening York\n")
    arguments = [str(run), "--baseline", "--name=small", f"--student={student}", "--json"]
    arguments += [f"--output={tmp_path}/runs", f"--unlabelled={tmp_path}/more.csv"]
    arguments += ["--mixtures=20"]
    assert distill.main(arguments) == 0
    captured = capsys.readouterr()
    metrics = json.loads(captured.out)
    assert metrics["test"]["measures"]["macro_f1"]["value"] > 0.8
    made = tmp_path / "runs" / "small" / "1"
    splits = [pd.read_parquet(r / "split.parquet")["split"] for r in (run, made)]
    assert (splits[0] == splits[1]).all()
    further = Teaching.load(made / "teaching.npz").texts
    assert further[:2] == ["selamat malam Surabaya", "good evening York"]
    assert len(further) == 22
    # Each set is kept alone: without the other, no teacher is asked again.
    for texts in (further[:2], further[2:]):
        teachers.say_once("t", None, texts, run.parent / "soft_labels" / run.name)
    assert TrainConfig.from_yaml(made / "config.yaml").patience == 8


@pytest.mark.slow
def test_distill_out_of_fold(run, tmp_path):
    teacher = shutil.copytree(run, tmp_path / "teacher")
    arguments = [str(teacher), "--baseline", "--name=small", "--out-of-fold=2", "--student=small"]
    assert distill.main([*arguments, f"--output={tmp_path}"]) == 0
    soft = Teaching.load(tmp_path / "small" / "1" / "teaching.npz").soft_labels
    np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-5)
    # Two teachers, two folds each, kept beside the first teacher.
    assert len(list((tmp_path / "out_of_fold").glob("*/*.npz"))) == 4


def test_bad_distillations(run, tmp_path, capsys):
    cases = {
        "no run given": [],
        "expected small, medium": [str(run), "--student=tiny"],
        "2 positive numbers": [str(run), "--baseline", "--weights", "1"],
        "0 or at least 2": [str(run), "--out-of-fold=1"],
        "--alpha 0 to 1": [str(run), "--alpha=2"],
        "--mixtures is -1": [str(run), "--mixtures=-1"],
        "no run ": [str(tmp_path / "none")],
    }
    for message, arguments in cases.items():
        assert distill.main([*arguments, f"--output={tmp_path}/runs"]) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
