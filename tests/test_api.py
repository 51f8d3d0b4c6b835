"""The Python API: what it takes, and where it can be used."""

import multiprocessing
import os
import pickle
import signal

import numpy as np
import pandas as pd
import pytest

import kerasclf
from kerasclf.classifier import KerasClassifier

TEXTS = ["selamat pagi", "guten Morgen"]


@pytest.fixture(scope="module")
def classifier(run):
    """A loaded run."""
    return kerasclf.load(run).keras


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("selamat pagi", r"texts is a str; expected a list of strings, such as \['selamat pagi'\]"),
        (b"selamat", "texts is a bytes"),
        (["a", float("nan")], r"texts\[1\] is nan of type float; expected a string"),
        ([None], r"texts\[0\] is None of type NoneType"),
        (["a", "b", 3], r"texts\[2\] is 3 of type int"),
        (pd.Series(["a", None]), r"texts\[1\] is (None|nan)"),
    ],
)
def test_what_is_not_a_list_of_strings_is_named(classifier, texts, message):
    for method in (classifier.predict, classifier.predict_proba, classifier.logits):
        with pytest.raises(TypeError, match=message):
            method(texts)


def test_any_iterable_of_strings_is_taken(classifier):
    expected = classifier.predict(TEXTS)
    for texts in (tuple(TEXTS), pd.Series(TEXTS), np.array(TEXTS), iter(TEXTS)):
        pd.testing.assert_frame_equal(classifier.predict(texts), expected)
    empty = classifier.predict([])
    assert len(empty) == 0
    assert list(empty.columns) == list(expected.columns)


def predict_in_another_process(pickled, results):
    """Sends predictions of a pickled classifier."""
    results.put(pickle.loads(pickled).predict_proba(TEXTS))


def test_pickled_by_its_folder(classifier):
    pickled = pickle.dumps(classifier)
    assert len(pickled) < 1000
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    process = context.Process(target=predict_in_another_process, args=(pickled, results))
    process.start()
    found = results.get(timeout=900)
    process.join()
    np.testing.assert_allclose(found, classifier.predict_proba(TEXTS), atol=1e-6)


def test_what_was_not_loaded_is_not_pickled(classifier):
    made = KerasClassifier(classifier.featurizer, classifier.core, classifier.labels)
    with pytest.raises(pickle.PicklingError, match="was not loaded from a run"):
        pickle.dumps(made)


@pytest.mark.parametrize("action", ["predict", "load"])
def test_a_forked_process_gets_an_error_at_once(classifier, run, action):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        # Nothing of pytest may run in this process, and it must not wait for ever.
        signal.alarm(600)
        try:
            message = "no error"
            if action == "predict":
                classifier.predict(TEXTS)
            else:
                KerasClassifier.load(run)
        except RuntimeError as error:
            message = str(error)
        finally:
            os.write(writer, message.encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        message = pipe.read().decode()
    os.waitpid(child, 0)
    assert f"process {child} was forked from {os.getpid()}" in message
    assert "load it in each worker" in message
