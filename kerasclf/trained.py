"""A finished run in Python: predict, explain, export, and its figures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from kerasclf.console import quiet_imports
from kerasclf.encoders import LINEAR, NETWORK
from kerasclf.explanation.words import LEAST, Explanation, Parts, explain
from kerasclf.files import as_damage, load_record
from kerasclf.light import MOST_TEXTS, LightClassifier
from kerasclf.prediction import check_texts
from kerasclf.run.layout import RunLayout

if TYPE_CHECKING:
    import pandas as pd

    from kerasclf.classifier import KerasClassifier
    from kerasclf.linear.model import LinearModel


class Metrics(Mapping[str, float]):
    """The test metrics of a run by name, such as "macro_f1"; each with its 95 % interval."""

    def __init__(self, record: dict[str, Any]):
        """Creates them from the content of metrics.json, which is `record`."""
        self.record = record
        self._measures = record["test"]["measures"]

    def __getitem__(self, name: str) -> float:
        return float(self._measures[name]["value"])

    def __iter__(self) -> Iterator[str]:
        return iter(self._measures)

    def __len__(self) -> int:
        return len(self._measures)

    def interval(self, name: str) -> tuple[float, float]:
        """Bounds of the 95 % bootstrap interval of a metric."""
        entry = self._measures[name]
        return float(entry["low"]), float(entry["high"])

    def __repr__(self) -> str:
        return repr({name: round(value, 4) for name, value in self.items()})


class Classifier:
    """A finished run.

    Runs of `--encoder bytes` and `linear` predict with LiteRT, without TensorFlow; others, older
    ones, and all for more than 20,000 texts at once, with Keras. It can be pickled: it is loaded
    again from its folder.

    Attributes:
        layout: the files of the run.
        run: folder of the run.
        labels: label names by class id.

    Example:

        >>> classifier = Classifier.load("runs/chat-language/1")  # doctest: +SKIP
        >>> classifier.predict(["good morning"])["predicted_label"].tolist()  # doctest: +SKIP
        ['english']
    """

    def __init__(self, layout: RunLayout, use_keras: bool = False):
        """Creates a classifier; nothing is loaded before it is needed.

        Args:
            layout: a finished run.
            use_keras: whether Keras predicts even if LiteRT could.
        """
        self.layout, self._use_keras = layout, use_keras
        self.run = layout.root
        self.labels = layout.read_labels()

    @classmethod
    def load(cls, run: str | Path | None, keras: bool = False) -> Self:
        """Loads a finished run, or the newest run in a folder of runs.

        Args:
            run: `runs/NAME/N`, or `runs/NAME` for the newest run of that name.
            keras: whether Keras predicts even if LiteRT could.

        Raises:
            UserError: there is no finished run.
        """
        return cls(RunLayout.open(run), keras)

    @cached_property
    def keras(self) -> "KerasClassifier":
        """Featurizer, Keras model and decision of the run; imports TensorFlow."""
        with quiet_imports():
            from kerasclf.classifier import KerasClassifier

        return KerasClassifier.load(self.layout.root)

    @cached_property
    def _predictor(self) -> "KerasClassifier | LightClassifier":
        if self._use_keras or not self.layout.light.is_file():
            return self.keras
        return LightClassifier(self.layout)

    def _choose(self, count: int) -> "KerasClassifier | LightClassifier":
        """What labels `count` texts soonest."""
        return self.keras if count > MOST_TEXTS else self._predictor

    @cached_property
    def metrics(self) -> Metrics:
        """The test metrics of the run: `metrics["macro_f1"]`, `metrics.interval("macro_f1")`."""
        with as_damage(self.layout.metrics):
            return Metrics(load_record(self.layout.metrics))

    def predict(self, texts: Iterable[str]) -> "pd.DataFrame":
        """Labels n texts.

        Args:
            texts: a list, a pandas column or any other iterable of strings.

        Returns:
            Frame of n rows: predicted_label (str), confidence (calibrated probability of that
            label), review (bool, whether a person should review it), and p_LABEL for each label.

        Raises:
            TypeError: `texts` is a single string, or one of them is not a string.
        """
        listed = check_texts(texts)
        return self._choose(len(listed)).predict(listed)

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Calibrated probabilities, float64 [n, num_classes], of n texts."""
        listed = check_texts(texts)
        return self._choose(len(listed)).predict_proba(listed)

    def run_on(self, texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The predictions for n texts as arrays.

        Returns:
            Class ids after the decision rule, int64 [n]; whether a person should review each, bool
            [n]; and calibrated probabilities, float64 [n, num_classes].
        """
        listed = check_texts(texts)
        return self._choose(len(listed)).run(listed)

    def explain(self, texts: Iterable[str]) -> list[Explanation]:
        """Explains n texts: what each word contributes to the label that was decided.

        Raises:
            TypeError: `texts` is a single string, or one of them is not a string.
        """
        return explain(self.run_on, self.parts, self.labels, check_texts(texts))

    @cached_property
    def parts(self) -> Parts:
        """The parts of the model that are explained in different ways."""
        # Not by `Decision`, which imports scikit-learn.
        with as_damage(self.layout.decision):
            temperature = float(load_record(self.layout.decision)["temperature"])
        if not self.layout.has_linear:
            return Parts(network=self._log_probabilities)
        linear = self._load_linear()
        with as_damage(self.layout.metrics):
            joined = self.metrics.record.get("parts")
            if joined is None or min(joined["weights"].values()) == 0:
                return Parts(linear=linear, temperature=temperature)
            of_network, of_linear = (
                float(joined["temperatures"][name]) for name in (NETWORK, LINEAR)
            )
            weights = (float(joined["weights"][NETWORK]), float(joined["weights"][LINEAR]))
        return Parts(
            network=lambda texts: self._network_logits(texts) / of_network,
            linear=linear,
            weights=weights,
            linear_temperature=of_linear,
            temperature=temperature,
        )

    def _load_linear(self) -> "LinearModel":
        """The linear part: from its file, or else from the Keras model."""
        if self.layout.linear.is_file():
            from kerasclf.linear.model import LinearModel

            return LinearModel.load(self.layout.linear)
        from kerasclf.explanation.of_keras import find_linear

        return find_linear(self.keras)

    def _log_probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Logits of the whole model, calibrated."""
        return np.log(np.maximum(self.run_on(texts)[2], LEAST))

    def _network_logits(self, texts: Sequence[str]) -> np.ndarray:
        """Logits of the network that the linear part is joined to."""
        predictor = self._choose(len(texts))
        if isinstance(predictor, LightClassifier):
            return predictor.network_logits(texts)
        return self._network.logits(texts)

    @cached_property
    def _network(self) -> "KerasClassifier":
        from kerasclf.explanation.of_keras import find_network

        return find_network(self.keras)

    def export(self, path: str | Path, recipe: str | None = None) -> Path:
        """Exports the run in the format that a path names.

        Args:
            path: FILE.tflite, FILE.onnx, or a folder for a SavedModel that TF Serving serves.
            recipe: of a .tflite (see `kerasclf tflite --help`); default: dynamic_int8.

        Returns:
            The file, or the folder of the new version.

        Raises:
            UserError: the suffix or the recipe is not known, or the run cannot be exported so.
        """
        from kerasclf.exporting import export_run

        return export_run(self.layout, Path(path), recipe)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (RunLayout(self.run.absolute()), self._use_keras)

    def __repr__(self) -> str:
        return f"Classifier({str(self.run)!r}, labels={list(self.labels)})"

    def _repr_html_(self) -> str:
        """A table of the test metrics with their intervals, for notebooks."""
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{value:.4f}</td>"
            f"<td>{' to '.join(f'{bound:.4f}' for bound in self.metrics.interval(name))}</td></tr>"
            for name, value in self.metrics.items()
        )
        labels = escape(", ".join(self.labels))
        return (
            f"<p><b>{escape(str(self.run))}</b>: {labels}</p><table><tr><th>test metric</th>"
            f"<th>value</th><th>95 % interval</th></tr>{rows}</table>"
        )
