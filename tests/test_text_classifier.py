"""The estimator, in scikit-learn's own tools and by its own checks."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

import kerasclf
from kerasclf.errors import UserError
from kerasclf.text_classifier import TextClassifier

SMALL = {"encoder": "linear", "max_bytes": 48, "linear_terms": 500}

NOT_OF_TEXTS = {
    "check_array_api_input": "texts are no arrays of numbers",
    "check_classifiers_train": "expects an error when the number of features differs",
    "check_estimator_sparse_array": "texts are never sparse",
    "check_estimator_sparse_matrix": "texts are never sparse",
    "check_estimator_sparse_tag": "texts are never sparse",
    "check_estimators_empty_data_messages": "expects an error that counts features",
    "check_estimators_nan_inf": "texts have no NaN and infinity; None and nan are TypeErrors",
    "check_fit1d": "expects that a list of values is refused; texts are one",
    "check_fit2d_predict1d": "expects that a list of values is refused; texts are one",
    "check_n_features_in": "texts have no features",
    "check_n_features_in_after_fitting": "texts have no features",
    "check_methods_sample_order_invariance": "compares to 1e-7; probabilities are of 32-bit logits",
}
"""Checks of scikit-learn that do not apply, and why."""


class OfNumbers(TextClassifier):
    """Takes the numbers of scikit-learn's checks as texts, in which each is a word."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.string = False
        tags.input_tags.two_d_array = True
        return tags

    def fit(self, X, y):
        return super().fit(write(X), y)

    def predict(self, X):
        return super().predict(write(X))

    def predict_proba(self, X):
        return super().predict_proba(write(X))


def write(rows):
    return [
        " ".join(f"{chr(97 + column % 26)}{value:.1f}" for column, value in enumerate(row))
        for row in np.asarray(rows, dtype=float)
    ]


def make_checks():
    estimator = OfNumbers(encoder="linear", linear_terms=200)
    return list(estimator_checks._yield_all_checks(estimator, legacy=True))


def name_of(check):
    return getattr(check, "func", check).__name__


def test_checks_that_do_not_apply_exist():
    assert {name_of(check) for check in make_checks()} >= set(NOT_OF_TEXTS)


@pytest.mark.parametrize(
    "check", [c for c in make_checks() if name_of(c) not in NOT_OF_TEXTS], ids=name_of
)
def test_scikit_learn_checks(check):
    with warnings.catch_warnings():
        # Of scikit-learn itself: some checks warn on purpose.
        warnings.simplefilter("ignore")
        check("OfNumbers", OfNumbers(encoder="linear", linear_terms=200))


@pytest.fixture(scope="module")
def rows(table):
    frame = pd.read_csv(table)
    return frame["text"], frame["label"]


@pytest.fixture(scope="module")
def fitted(rows):
    return TextClassifier(**SMALL).fit(*rows)


def test_fit_predict_and_score(fitted, rows):
    assert fitted.classes_.tolist() == ["de", "en", "id"]
    assert fitted.score(*rows) > 0.9
    assert fitted.predict(["guten Morgen Bonn", "good morning"]).tolist() == ["de", "en"]
    probabilities = fitted.predict_proba(["guten Morgen"])
    assert probabilities.shape == (1, 3)
    np.testing.assert_allclose(probabilities.sum(), 1)
    assert fitted.classes_[probabilities.argmax()] == "de"


def test_in_cross_validation_a_pipeline_and_a_search(rows, capfd):
    estimator = make_pipeline(
        FunctionTransformer(lambda texts: texts.str.lower()), TextClassifier()
    )
    estimator.set_params(**{f"textclassifier__{name}": value for name, value in SMALL.items()})
    assert cross_val_score(estimator, *rows, cv=2, error_score="raise").min() > 0.7
    search = GridSearchCV(estimator, {"textclassifier__linear_c": [1.0, 3.0]}, cv=2)
    assert search.fit(*rows).best_score_ > 0.7
    assert search.predict(rows[0][:1]).tolist() == ["id"]
    assert capfd.readouterr().err == ""


def test_a_network_is_trained_pickled_and_cloned(rows):
    options = {"max_bytes": 48, "buckets": 512, "embedding_dim": 8, "filters": 8, "epochs": 2}
    estimator = TextClassifier(**options, batch_size=16, learning_rate=0.01).fit(*rows)
    again = pickle.loads(pickle.dumps(estimator))
    texts = ["guten Morgen", "", "selamat pagi"]
    np.testing.assert_allclose(
        again.predict_proba(texts), estimator.predict_proba(texts), atol=1e-6
    )
    copy = clone(estimator)
    assert copy.get_params() == estimator.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(texts)


def test_labels_keep_their_type_and_order():
    texts = [f"{word} {place}" for word in ("pagi", "goblok") for place in "abcdefgh"]
    labels = np.repeat([10, 2], 8)
    estimator = TextClassifier(**SMALL).fit(texts, labels)
    assert estimator.classes_.tolist() == [2, 10]
    assert estimator.predict(["goblok a", "pagi b"]).tolist() == [2, 10]


def test_progress_is_printed_if_asked_for(rows, capsys):
    options = {"max_bytes": 48, "buckets": 512, "embedding_dim": 8, "filters": 8, "linear": "none"}
    TextClassifier(**options, epochs=1, verbose=True).fit(*rows)
    assert "epoch 1/1" in capsys.readouterr().err


def test_what_cannot_be_fitted(rows):
    texts, labels = rows
    with pytest.raises(TypeError, match="no parameter 'epoch'"):
        TextClassifier(epoch=1)
    with pytest.raises(TypeError, match="texts is a str"):
        TextClassifier().fit("abc", ["a", "b", "c"])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        TextClassifier().fit(texts, labels[:-1])
    with pytest.raises(ValueError, match="at least two"):
        TextClassifier().fit(["a", "b"], ["x", "x"])
    with pytest.raises(UserError, match=r"class 'y' has 1 distinct text"):
        TextClassifier(**SMALL).fit(["a", "b", "c", "c"], ["x", "x", "y", "y"])
    with pytest.raises(UserError, match="linear_c"):
        TextClassifier(**{**SMALL, "linear_c": "a"}).fit(texts, labels)


def test_it_is_in_the_package():
    assert kerasclf.TextClassifier is TextClassifier
