import json
import shutil
from hashlib import sha256

import keras
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import SMALL
from scipy.special import log_softmax, softmax

from export import distill
from export.distillation import teachers
from export.distillation.config import DistillConfig
from export.distillation.students import prepare_student
from export.distillation.teachers import Teacher
from export.distillation.transfer import MOST_WORDS, mix_texts
from kerasclf import exporting
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.job.folds import Rows, predict_out_of_fold, split_folds
from kerasclf.job.prepare import prepare_job
from kerasclf.job.train_rows import train_classifier
from kerasclf.run.layout import RunLayout
from kerasclf.training.distillation import DistillationLoss, SoftLabels
from kerasclf.training.losses import SparseFocalLoss
from kerasclf.training.objective import make_objective

LOGITS = np.array([[1.0, -1.0, 0.5], [0.2, 0.1, 0.0]], dtype=np.float32)
SOFT = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype=np.float32)
CLASS_IDS = np.array([0, 2])
TARGETS = np.concatenate([CLASS_IDS[:, None], SOFT], axis=1).astype(np.float32)


def test_alpha_zero_is_the_hard_loss():
    hard = SparseFocalLoss(1.5, [1.0, 2.0, 3.0], 0.1)
    loss = DistillationLoss(hard, temperature=3.0, alpha=0.0)
    assert float(loss(TARGETS, LOGITS)) == pytest.approx(float(hard(CLASS_IDS, LOGITS)), rel=1e-6)


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


def test_soft_labels_extend_the_training_rows_and_are_saved(tmp_path):
    soft_labels = SoftLabels(SOFT, 2.0, 0.7, ["c", "d"], SOFT[::-1].copy())
    objective = make_objective(["a", "b"], CLASS_IDS, SparseFocalLoss(), soft_labels)
    assert objective.texts == ["a", "b", "c", "d"]
    assert objective.class_ids.tolist() == [0, 2, 2, 0]
    assert objective.targets[:, 0].tolist() == [0, 2, -1, -1]
    np.testing.assert_array_equal(objective.targets[:, 1:], np.concatenate([SOFT, SOFT[::-1]]))
    assert (objective.loss.temperature, objective.loss.alpha) == (2.0, 0.7)
    soft_labels.save(tmp_path / "teaching.npz")
    again = SoftLabels.load(tmp_path / "teaching.npz")
    assert (again.temperature, again.alpha, again.transfer_texts) == (2.0, 0.7, ["c", "d"])
    same = make_objective(["a", "b"], CLASS_IDS, SparseFocalLoss(), again)
    np.testing.assert_array_equal(same.targets, objective.targets)


def test_soft_labels_of_version_0_1_are_read(tmp_path):
    # Without the number of the format, and with the same names of arrays.
    np.savez_compressed(
        tmp_path / "teaching.npz",
        soft_labels=SOFT,
        settings=[2.0, 0.7],
        texts=json.dumps(["c", "d"]),
        text_labels=SOFT[::-1],
    )
    soft_labels = SoftLabels.load(tmp_path / "teaching.npz")
    np.testing.assert_array_equal(soft_labels.probabilities, SOFT)
    assert (soft_labels.temperature, soft_labels.alpha) == (2.0, 0.7)
    assert soft_labels.transfer_texts == ["c", "d"]
    np.testing.assert_array_equal(soft_labels.transfer_probabilities, SOFT[::-1])


def test_an_augmented_row_has_the_soft_labels_of_its_source():
    soft_labels = SoftLabels(SOFT, 2.0, 0.7, ["d"], SOFT[:1]).repeat(np.array([1]))
    class_ids = np.array([0, 2, 2])
    objective = make_objective(["a", "b", "b!"], class_ids, SparseFocalLoss(), soft_labels)
    assert objective.texts == ["a", "b", "b!", "d"]
    assert objective.class_ids.tolist() == [0, 2, 2, 0]
    np.testing.assert_array_equal(objective.targets[:, 1:], SOFT[[0, 1, 1, 0]])


def test_average_by_hand():
    predictions = [np.log(SOFT), np.log(np.full((2, 3), 1 / 3))]
    np.testing.assert_allclose(teachers.average(predictions, [1.0, 1e-12]), SOFT, rtol=1e-5)
    expected = softmax(0.5 * np.log(SOFT), axis=1)
    np.testing.assert_allclose(teachers.average(predictions, [1.0, 1.0]), expected, rtol=1e-5)


def make_teacher(load, folder):
    """A teacher that cannot be trained on folds."""
    return Teacher("t", train=None, load=load, fold_cache=folder / "folds", cache=folder)


def test_predictions_of_a_teacher_are_cached(tmp_path):
    loads = []

    def load():
        loads.append("loaded")
        return lambda texts: np.log(np.full((len(texts), 2), 0.5))

    teacher = make_teacher(load, tmp_path / "soft_labels")
    for texts in (["a", "b"], ["a", "b"], ["ab"]):
        assert teacher.predict(texts).shape == (len(texts), 2)
    assert len(loads) == 2


def test_predictions_of_version_0_1_are_found(tmp_path):
    # One file of a chunk, named by the SHA-256 of its texts, each followed by a zero byte.
    predictions = np.log(SOFT.astype(np.float64))
    np.save(tmp_path / f"{sha256(b'a' + bytes(1) + b'b' + bytes(1)).hexdigest()[:16]}", predictions)
    np.testing.assert_array_equal(make_teacher(None, tmp_path).predict(["a", "b"]), predictions)


def test_an_interrupted_teacher_resumes_at_the_next_chunk(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(teachers, "CHUNK_TEXTS", 2)
    monkeypatch.setattr(teachers, "REPORT_SECONDS", -1.0)
    texts, calls = ["a", "bb", "ccc", "dddd", "eeeee"], []

    def lengths(chunk):
        if "ccc" in chunk and len(calls) == 1:
            calls.append("killed")
            raise KeyboardInterrupt
        calls.append(chunk)
        return np.array([[len(text), 0.0] for text in chunk])

    teacher = make_teacher(lambda: lengths, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        teacher.predict(texts)
    assert teacher.predict(texts)[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert calls == [["a", "bb"], "killed", ["ccc", "dddd"], ["eeeee"]]
    assert "t: 4 of 5 texts labelled, " in capsys.readouterr().err


def test_mixtures_are_excerpts_of_two_texts():
    texts = ["a1 a2 a3 a4 a5 a6 a7 a8 a9", "b1 b2 b3 b4", "  ", "c1", " ".join(["long"] * 999)]
    mixed = mix_texts(texts, 400, seed=3)
    assert mixed == mix_texts(texts, 400, seed=3) != mix_texts(texts, 400, seed=4)
    assert mixed[:100] == mix_texts(texts, 100, seed=3)
    assert all(mixed)
    assert max(len(text.split()) for text in mixed) <= 2 * MOST_WORDS
    assert {word for text in mixed for word in text.split()} == set(" ".join(texts).split())
    split = [words for text in texts if (words := text.split())]
    excerpts = {
        tuple(w[i:j]) for w in split for i in range(len(w)) for j in range(i + 1, len(w) + 1)
    }
    for text in mixed[::2]:
        words = tuple(text.split())
        assert any(words[:i] in excerpts and words[i:] in excerpts for i in range(1, len(words)))
    assert mix_texts(["tanpaspasi"], 2, seed=0) == ["tanpaspasi tanpaspasi"] * 2


@pytest.fixture(scope="module")
def job(table):
    return prepare_job(TrainConfig(data=table))


def test_no_teacher_labels_a_row_that_it_learned_from(job, tmp_path):
    texts, _ = job.texts_and_class_ids("train")
    validation_texts, _ = job.texts_and_class_ids("validation")
    predicted, calls = [], []

    def train(rows):
        calls.append(len(rows[0]))

        def teacher(held):
            assert not set(held) & set(rows[0])
            predicted.extend(held[: -len(validation_texts)])
            assert held[-len(validation_texts) :] == validation_texts
            return log_softmax(np.random.default_rng(0).normal(size=(len(held), 3)), axis=1)

        return teacher

    cache = tmp_path / "cache"
    predictions, validation = predict_out_of_fold("t", train, job, 3, cache)
    assert sorted(predicted) == sorted(texts)
    assert np.isfinite(predictions).all()
    assert validation.shape == (3, len(validation_texts), 3)
    # Once more, from the cache.
    again, _ = predict_out_of_fold("t", train, job, 3, cache)
    assert len(calls) == 3
    np.testing.assert_array_equal(predictions, again)


def test_rows_of_a_fold_are_augmented_from_its_own_rows(job, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    small = dict(option.removeprefix("--").replace("-", "_").split("=") for option in SMALL)
    sizes = {key: yaml.safe_load(value) for key, value in small.items()}
    config = TrainConfig(augment="keyboard", epochs=1, **sizes).resolved()
    texts, class_ids = job.texts_and_class_ids("train")
    rows = Rows(texts[::2], class_ids[::2])
    soft = np.eye(3, dtype=np.float32)[rows[1]]
    classifier = train_classifier(config, job, rows, SoftLabels(soft, 2.0, 0.5))
    assert classifier.logits(texts[:2]).shape == (2, 3)
    (augmented,) = (pd.read_parquet(path) for path in tmp_path.rglob("*.parquet"))
    assert len(augmented) >= len(rows[0]) / 2
    assert set(augmented["source"]) <= set(range(len(rows[0])))


def test_folds_keep_near_duplicates_together(job):
    groups = job.split.loc[job.split["split"] == "train", "group"].to_numpy()
    for learned, held in split_folds(job, 3, 0):
        assert not set(groups[learned]) & set(groups[held])


def test_distill(run, table, tmp_path, capsys, keep_light_file, monkeypatch):
    monkeypatch.setattr(exporting, "keep_light_file", keep_light_file)
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
    small = tmp_path / "runs" / "small" / "1"
    splits = [pd.read_parquet(r / "split.parquet")["split"] for r in (run, small)]
    assert (splits[0] == splits[1]).all()
    transfer_texts = SoftLabels.load(small / "teaching.npz").transfer_texts
    assert transfer_texts[:2] == ["selamat malam Surabaya", "good evening York"]
    assert len(transfer_texts) == 22
    # Each set is cached by itself: without the other, no teacher is loaded again.
    cache = run.parent / "soft_labels" / run.name
    for folder in (cache, cache / "baseline"):
        for texts in (transfer_texts[:2], transfer_texts[2:]):
            assert make_teacher(None, folder).predict(texts).shape == (len(texts), 3)
    assert TrainConfig.from_yaml(small / "config.yaml").patience == 8
    # A student answers without TensorFlow, too.
    assert RunLayout(small).light.is_file()


@pytest.mark.slow
def test_distill_out_of_fold(run, tmp_path):
    teacher = shutil.copytree(run, tmp_path / "teacher")
    arguments = [str(teacher), "--baseline", "--name=small", "--out-of-fold=2", "--student=small"]
    assert distill.main([*arguments, f"--output={tmp_path}"]) == 0
    soft = SoftLabels.load(tmp_path / "small" / "1" / "teaching.npz").probabilities
    np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-5)
    # Two teachers, two folds each, kept beside the first teacher.
    assert len(list((tmp_path / "out_of_fold").glob("*/*.npz"))) == 4


def test_teachers_have_the_same_labels(run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    (other / "labels.json").write_text('["id", "en", "de"]')
    with pytest.raises(UserError, match="have different labels"):
        prepare_student([RunLayout(run), RunLayout(other)], DistillConfig())


def test_bad_distillations(run, tmp_path, capsys):
    cases = {
        "no run given": [],
        "expected small, medium": [str(run), "--student=tiny"],
        "2 positive numbers": [str(run), "--baseline", "--weights", "1"],
        "0 or at least 2": [str(run), "--out-of-fold=1"],
        "--alpha 2; expected --temperature above 0, and --alpha 0 to 1": [str(run), "--alpha=2"],
        "--mixtures is -1": [str(run), "--mixtures=-1"],
        "no run ": [str(tmp_path / "none")],
    }
    for message, arguments in cases.items():
        assert distill.main([*arguments, f"--output={tmp_path}/runs"]) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
