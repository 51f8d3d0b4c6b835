"""The baseline to beat: TF-IDF and a linear model, on the same rows."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from kerasclf.evaluation.novelty import find_similarity
from kerasclf.evaluation.tfidf import FEATURES, make_features, normalize_features

MOST_SVM_WEIGHTS, MOST_REGRESSION_WEIGHTS = 50_000_000, 1_000_000
"""N-grams times classes."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """The better one of two linear models.

    Attributes:
        name: its features and its kind.
        validation: macro-F1 on the validation rows by kind of model, of both.
        predicted: int64 [n], class ids of the test texts.
        compared: int64 [s], positions of the test texts that were compared with training texts.
        similarity: float64 [s], their cosine similarity to the most similar training text.
    """

    name: str
    validation: dict[str, float]
    predicted: np.ndarray
    compared: np.ndarray
    similarity: np.ndarray


def make_svm(seed: int) -> Pipeline:
    """TF-IDF and a balanced linear SVM."""
    return make_pipeline(make_features(), LinearSVC(class_weight="balanced", random_state=seed))


def predict_baseline(
    training: tuple[list[str], np.ndarray],
    validation: tuple[list[str], np.ndarray],
    test_texts: list[str],
    seed: int,
) -> Baseline:
    """Fits an SVM and a logistic regression on training rows, and keeps the better one.

    Each uses the n-grams that are in the most rows, as many as its solver can fit in seconds; the
    logistic regression at most those that are in two rows or more.

    Args:
        training: texts and class ids int64 of the training rows.
        validation: those of the validation rows, on which the models are compared.
        test_texts: n texts to predict.
        seed: of the solver.
    """
    features = make_features()
    trained = features.fit_transform(training[0])
    held, tested = features.transform(validation[0]), features.transform(test_texts)
    in_rows, num_classes = trained.getnnz(axis=0), len(np.unique(training[1]))
    by_rows = np.argsort(-in_rows, kind="stable")
    most = np.sort(by_rows[: MOST_SVM_WEIGHTS // num_classes])
    frequent = by_rows[: MOST_REGRESSION_WEIGHTS // num_classes]
    frequent = np.sort(frequent[in_rows[frequent] > 1])
    models: dict[str, tuple[ClassifierMixin, np.ndarray]] = {
        "linear SVM": (LinearSVC(class_weight="balanced", random_state=seed), most)
    }
    if len(frequent):
        regression = LogisticRegression(C=10, class_weight="balanced", max_iter=1000, tol=1e-3)
        models["logistic regression"] = (regression, frequent)
    scores, predicted = {}, {}
    for name, (model, columns) in models.items():
        model.fit(trained[:, columns], training[1])
        found = model.predict(held[:, columns])
        scores[name] = float(
            f1_score(validation[1], found, labels=np.unique(validation[1]), average="macro")
        )
        predicted[name] = model.predict(tested[:, columns])
    best = max(scores, key=lambda name: scores[name])
    similarity = find_similarity(normalize_features(trained), normalize_features(tested), seed)
    return Baseline(f"{FEATURES} + balanced {best}", scores, predicted[best], *similarity)
