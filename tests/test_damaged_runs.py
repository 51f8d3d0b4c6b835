"""Damaged files of a run: the right answer, or one line that names the file."""

import json
import random
import shutil

import numpy as np
import pytest

from kerasclf.classifier import KerasClassifier
from kerasclf.errors import UserError
from kerasclf.run.layout import RunLayout
from kerasclf.trained import Classifier

TEXTS = ["selamat pagi Solo", "good morning", "bis später"]


@pytest.fixture
def copy(run, tmp_path):
    shutil.copytree(run, tmp_path / "1", ignore=shutil.ignore_patterns("tensorboard", "*.html"))
    return RunLayout(tmp_path / "1")


def change(path, **fields):
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


DECISIONS = {
    "temperature of 0": {"temperature": 0},
    "negative temperature": {"temperature": -1},
    "no number": {"temperature": float("nan")},
    "temperature as text": {"temperature": "1"},
    "true": {"temperature": True},
    "infinite offset": {"offsets": [0, float("inf"), 0]},
    "offsets are no list": {"offsets": 3},
    "too few offsets": {"offsets": [0.0]},
    "costs of another size": {"costs": [[0, 1], [1, 0]]},
    "threshold above 1": {"review_below": 7},
}


@pytest.mark.parametrize("case", DECISIONS)
def test_a_decision_is_checked(case, copy):
    change(copy.decision, **DECISIONS[case])
    with pytest.raises(UserError, match=r"decision\.json") as caught:
        KerasClassifier.load(copy.root)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("labels", [[], ["a"], ["a", "a", "b"], [1, 2, 3], {"a": 1}, None])
def test_labels_are_checked(labels, copy):
    copy.labels.write_text(json.dumps(labels))
    for load in (KerasClassifier.load, Classifier.load):
        with pytest.raises(UserError, match=r"labels\.json is .*expected a list of at least two"):
            load(copy.root)


def test_numbers_of_classes_must_agree(copy):
    copy.labels.write_text(json.dumps(["a", "b"]))
    with pytest.raises(UserError, match="different numbers of classes"):
        KerasClassifier.load(copy.root)


def test_weights_are_numbers(copy):
    classifier = KerasClassifier.load(copy.root)
    weights = classifier.core.get_weights()
    weights[-1] = np.full_like(weights[-1], np.nan)
    classifier.core.set_weights(weights)
    classifier.core.save(copy.model)
    with pytest.raises(UserError, match="weights that are no finite numbers"):
        KerasClassifier.load(copy.root)


@pytest.mark.parametrize("wrong", [{"buckets": 0}, {"max_bytes": -3}, {"max_bytes": "48"}])
def test_settings_of_the_featurizer_are_checked(wrong, copy):
    change(copy.featurizer / "featurizer.json", **wrong)
    (name,) = wrong
    with pytest.raises(UserError, match=rf"featurizer\.json: {name} is .*expected a whole number"):
        KerasClassifier.load(copy.root)


def test_a_cut_model_is_named(copy):
    copy.model.write_bytes(copy.model.read_bytes()[:-1000])
    with pytest.raises(UserError, match=r"model\.keras is damaged"):
        KerasClassifier.load(copy.root)


@pytest.mark.slow
def test_random_damage_is_the_right_answer_or_one_line(copy, run, tmp_path):
    expected = KerasClassifier.load(run).predict_proba(TEXTS)
    read = [copy.labels, copy.decision, copy.model, *copy.featurizer.rglob("*.json")]
    messages = {}
    for seed in range(40):
        generator = random.Random(seed)
        path = generator.choice(read)
        whole = path.read_bytes()
        content, place = bytearray(whole), generator.randrange(len(whole))
        kind = generator.choice(["cut", "flip", "remove", "repeat"])
        if kind == "cut":
            del content[place:]
        elif kind == "flip":
            content[place] ^= 1 << generator.randrange(8)
        elif kind == "remove":
            del content[place : place + generator.randrange(1, 20)]
        else:
            content[place:place] = content[place : place + 20]
        path.write_bytes(content)
        try:
            found = KerasClassifier.load(copy.root).predict_proba(TEXTS)
        except UserError as error:
            messages[seed] = str(error)
        else:
            # A digit of the temperature may have changed: that is a temperature, too.
            if path not in (copy.decision, *copy.featurizer.rglob("*.json")):
                np.testing.assert_allclose(found, expected, atol=1e-6, err_msg=f"seed {seed}")
        path.write_bytes(whole)
    assert len(messages) >= 10
    for seed, message in messages.items():
        assert len(message) < 500, (seed, message)
        assert str(copy.root) in message, (seed, message)


DAMAGED = {
    "decision.json": {"temperature": []},
    "featurizer/featurizer.json": {"kind": "joined", "parts": True},
}


@pytest.mark.parametrize("name", DAMAGED)
def test_explanations_check_what_they_read(name, copy):
    (copy.root / name).write_text(json.dumps(DAMAGED[name]))
    with pytest.raises(UserError, match=name.rpartition("/")[2]):
        Classifier.load(copy.root).explain(TEXTS)


@pytest.mark.parametrize("record", [{}, {"test": 3}, []])
def test_metrics_are_checked(record, copy):
    copy.metrics.write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"metrics\.json"):
        _ = Classifier.load(copy.root).metrics
