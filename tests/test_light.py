"""Predictions of LiteRT: as those of Keras, from several threads, after a fork, for few texts."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from export.program.golden import GOLDEN_TEXTS
from kerasclf import trained
from kerasclf.predict import main
from kerasclf.run.layout import RunLayout
from kerasclf.trained import Classifier


@pytest.fixture(scope="module")
def kept(joined_run):
    return RunLayout.open(joined_run)


@pytest.fixture(scope="module")
def texts(kept):
    return [*pd.read_parquet(kept.predictions)["text"], *GOLDEN_TEXTS]


def test_labels_of_a_joined_model_are_those_of_keras(kept, texts):
    found, expected = (
        Classifier(kept).predict(texts),
        Classifier(kept, use_keras=True).predict(texts),
    )
    assert found["predicted_label"].tolist() == expected["predicted_label"].tolist()
    pd.testing.assert_frame_equal(found, expected, atol=1e-5)


def test_threads_and_a_forked_process_predict(kept, texts):
    classifier = Classifier(kept)
    expected = classifier.predict_proba(texts)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(classifier.predict_proba, [texts] * 8):
            np.testing.assert_array_equal(found, expected)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            same = np.array_equal(classifier.predict_proba(texts), expected)
            os.write(writer, b"same" if same else b"different")
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"same"
    os.waitpid(child, 0)


def test_many_texts_are_labelled_by_keras(kept, monkeypatch):
    monkeypatch.setattr(trained, "MOST_TEXTS", 2)
    classifier = Classifier(kept)
    few = classifier.predict_proba(["good morning", "guten Morgen"])
    assert "keras" not in vars(classifier)
    many = classifier.predict_proba(["good morning", "guten Morgen", ""])
    assert "keras" in vars(classifier)
    np.testing.assert_allclose(many[:2], few, atol=1e-5)


@pytest.mark.parametrize(("most", "of_keras"), [(3, False), (2, True)])
def test_a_long_table_is_labelled_by_keras(kept, tmp_path, monkeypatch, most, of_keras):
    from kerasclf.classifier import KerasClassifier

    table, output = tmp_path / "table.csv", tmp_path / "labelled.csv"
    pd.DataFrame({"text": ["good morning", "guten Morgen", "see you"]}).to_csv(table, index=False)
    monkeypatch.setattr("kerasclf.light.MOST_TEXTS", most)
    loaded, load = [], KerasClassifier.load
    monkeypatch.setattr(KerasClassifier, "load", lambda run: loaded.append(run) or load(run))
    assert main([str(kept.root), f"--input={table}", f"--output={output}"]) == 0
    assert bool(loaded) == of_keras
    assert len(pd.read_csv(output)) == 3


@pytest.mark.parametrize("texts", [{"a": 1}, pd.DataFrame({"text": ["a"]})])
def test_a_table_is_no_list_of_texts(kept, texts):
    with pytest.raises(TypeError, match=r"texts is a .*; expected a list of strings"):
        Classifier(kept).predict(texts)
