"""The baseline to beat: TF-IDF and a linear model, on the same rows."""

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.svm import LinearSVC


def make_baseline(seed: int) -> Pipeline:
    """TF-IDF of words 1-2 and characters 2-5 within words, and a balanced linear SVM."""
    features = FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)),
            (
                "characters",
                TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
            ),
        ]
    )
    return make_pipeline(features, LinearSVC(class_weight="balanced", random_state=seed))


def predict_baseline(
    texts: list[str], class_ids: np.ndarray, test_texts: list[str], seed: int
) -> np.ndarray:
    """Fits the baseline on training rows and predicts test rows.

    Args:
        texts: n training texts.
        class_ids: int64 [n], their class ids.
        test_texts: texts to predict.
        seed: of the solver.

    Returns:
        int64, predicted class ids of the test texts.
    """
    return make_baseline(seed).fit(texts, class_ids).predict(test_texts)
