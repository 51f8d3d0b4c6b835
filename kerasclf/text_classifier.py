"""A scikit-learn estimator: texts and labels in, a trained classifier out."""

import contextlib
import io
import tempfile
from collections.abc import Iterable
from dataclasses import fields
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from kerasclf.api import make_config
from kerasclf.config import DATA, TrainConfig
from kerasclf.console import quiet_imports
from kerasclf.prediction import check_texts
from kerasclf.run.layout import RunLayout

OF_A_RUN = (
    *("dataset", "data", "split", "test_share", "min_class_rows", "group_templates"),
    *("cost_matrix", "review_below", "target", "name", "output"),
)
"""Options of `kerasclf train` about rows, measuring and files."""
OPTIONS = {
    declared.name: declared.default
    for declared in fields(TrainConfig)
    if declared.metadata.get("needs") != DATA and declared.name not in OF_A_RUN
}
"""Default values of the parameters, by name."""


class TextClassifier(ClassifierMixin, BaseEstimator):
    """The classifier of `kerasclf train` as an estimator of scikit-learn.

    `fit` trains on all texts that it is given but a share that validates: it stops the training,
    weighs network and linear part, and calibrates. It writes no run and no report, since whoever
    calls it measures: `cross_val_score`, `GridSearchCV` or a hold-out set.

    Its parameters are the options of `kerasclf train` that concern the model, with the same
    defaults, and `verbose`, whether `fit` prints its progress.

    Attributes:
        classes_: labels in the order of the columns of `predict_proba`.
        classifier_: the `KerasClassifier`.

    Example:

        >>> from sklearn.model_selection import cross_val_score
        >>> estimator = TextClassifier(encoder="linear", linear_c=1.0)
        >>> cross_val_score(estimator, texts, labels, scoring="f1_macro")  # doctest: +SKIP
        array([0.71, 0.73, 0.70, 0.72, 0.71])
    """

    def __init__(self, **options: Any):
        """Creates an estimator.

        Args:
            **options: parameters by name.

        Raises:
            TypeError: there is no such parameter.
        """
        unknown = [name for name in options if name not in PARAMETERS]
        if unknown:
            raise TypeError(f"TextClassifier has no parameter {unknown[0]!r}")
        for name, default in PARAMETERS.items():
            setattr(self, name, options.get(name, default))

    def fit(self, X: Iterable[str], y: Any) -> Self:
        """Trains a classifier.

        Args:
            X: n strings.
            y: labels, [n], of any type that scikit-learn takes as classes.

        Raises:
            TypeError: `X` is not an iterable of strings.
            ValueError: there are fewer than two classes, or not as many labels as texts.
            UserError: a parameter is wrong, or a class has too few texts.
        """
        texts = check_texts(X)
        targets = column_or_1d(y, warn=True)
        check_consistent_length(texts, targets)
        check_classification_targets(targets)
        classes, class_ids = np.unique(targets, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"found one class, {classes[:1]}; a classifier needs at least two")
        options = self.get_params()
        is_silent = not options.pop("verbose")
        config = make_config(None, options)
        with quiet_imports():
            from kerasclf.job.arrays import fit_arrays
        silence = contextlib.redirect_stderr(io.StringIO())
        with silence if is_silent else contextlib.nullcontext():
            self.classifier_ = fit_arrays(config, texts, class_ids, [str(c) for c in classes])
        self.classes_ = classes
        return self

    def predict(self, X: Iterable[str]) -> np.ndarray:
        """Labels of n texts, [n]."""
        check_is_fitted(self)
        return self.classes_[self.classifier_.run(X)[0]]

    def predict_proba(self, X: Iterable[str]) -> np.ndarray:
        """Calibrated probabilities, float64 [n, num_classes], of n texts."""
        check_is_fitted(self)
        return self.classifier_.predict_proba(X)

    def __sklearn_tags__(self) -> Tags:
        """Says that the input is a list of strings."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """The state with the classifier as the content of its files."""
        state = dict(super().__getstate__())
        classifier = state.pop("classifier_", None)
        if classifier is not None:
            with tempfile.TemporaryDirectory() as folder:
                layout = RunLayout(Path(folder))
                classifier.core.save(layout.model)
                classifier.featurizer.save(layout.featurizer)
                classifier.decision.save(layout.decision)
                state["files"] = {
                    str(path.relative_to(folder)): path.read_bytes()
                    for path in Path(folder).rglob("*")
                    if path.is_file()
                }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Loads the classifier again."""
        state = dict(state)
        files = state.pop("files", None)
        super().__setstate__(state)
        if files is None:
            return
        with quiet_imports():
            from kerasclf.classifier import KerasClassifier
            from kerasclf.decision.rule import Decision
            from kerasclf.models.load import load_model
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            layout = RunLayout(Path(folder))
            model = load_model(layout.model, layout.featurizer)
            decision = Decision.load(layout.decision)
        labels = [str(label) for label in self.classes_]
        self.classifier_ = KerasClassifier(*model, labels, decision)


PARAMETERS = {**OPTIONS, "verbose": False}

# scikit-learn reads the names of parameters from here.
_signature = Signature(
    [
        Parameter("self", Parameter.POSITIONAL_OR_KEYWORD),
        *(
            Parameter(name, Parameter.KEYWORD_ONLY, default=default)
            for name, default in PARAMETERS.items()
        ),
    ]
)
TextClassifier.__init__.__signature__ = _signature  # type: ignore[attr-defined]
