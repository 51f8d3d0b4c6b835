"""A trained run in Python: strings to labels."""

import os
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasclf.console import say_status
from kerasclf.decision.rule import Decision
from kerasclf.errors import UserError
from kerasclf.models.featurizer import Featurizer, batch_by_length
from kerasclf.models.joined import Part, join
from kerasclf.models.load import load_model
from kerasclf.prediction import check_texts, describe_decisions
from kerasclf.run.layout import RunLayout
from kerasclf.run.members import read_members

BATCH_SIZE = 256
"""Texts per call of the network at most."""
BATCH_SIZE_OF_TOKENS = 64
"""The same for a pretrained encoder: activations of more texts do not fit into a CPU's cache."""
MOST_CELLS = 10_000_000
"""Texts per call times positions of a text times classes: the linear part gathers 24 bytes each."""


class KerasClassifier:
    """Featurizer, core and decision of a run as one function of strings.

    One that was loaded can be pickled: it is loaded again from its folder. It cannot be used in a
    process that was forked from the one that loaded it, since TensorFlow's threads are not copied.

    Example:

        >>> classifier = KerasClassifier.load("runs/chat-language/1")  # doctest: +SKIP
        >>> classifier.predict(["good morning"])["predicted_label"].tolist()  # doctest: +SKIP
        ['english']
    """

    def __init__(
        self,
        featurizer: Featurizer,
        core: keras.Model,
        labels: Iterable[str],
        decision: Decision | None = None,
    ):
        """Creates a classifier.

        Args:
            featurizer: strings to model inputs.
            core: model inputs to logits.
            labels: label names by class id.
            decision: logits to class ids; plain argmax if None.
        """
        _check_process()
        self.folder: Path | None = None
        self.featurizer, self.core = featurizer, core
        self.labels = tuple(labels)
        self.decision = decision or Decision(1.0, (0.0,) * len(self.labels))
        # One graph for all batch sizes.
        self._logits = tf.function(
            lambda texts: core(featurizer(texts), training=False),
            input_signature=[tf.TensorSpec([None], tf.string)],
        )

    @classmethod
    def load(cls, run: str | Path) -> Self:
        """Loads a finished run, or the newest run in a folder of runs.

        Raises:
            UserError: there is no finished run.
        """
        layout = RunLayout.open(run)
        say_status(f"loading {layout.root}")
        labels, decision = layout.read_labels(), Decision.load(layout.decision)
        if layout.ensemble.is_file():
            members, weights = read_members(layout)
            voters = [cls.load(member) for member in members]
            classifier = cls.vote(voters, weights, labels, decision)
        else:
            classifier = cls(*load_model(layout.model, layout.featurizer), labels, decision)
        counts = {
            layout.labels: len(labels),
            layout.decision: len(decision.offsets),
            layout.root: classifier.core.output_shape[-1],
        }
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{path} {count}" for path, count in counts.items())
            raise UserError(f"files of a run have different numbers of classes: {listed}")
        classifier.folder = layout.root.absolute()
        return classifier

    @classmethod
    def vote(
        cls,
        members: list[Self],
        weights: list[float],
        labels: Iterable[str],
        decision: Decision | None = None,
    ) -> Self:
        """Combines several classifiers by soft voting.

        The logits are the logarithm of the weighted mean of the members' calibrated probabilities.

        Args:
            members: classifiers with the same labels in the same order.
            weights: one non-negative weight per member, with sum 1; a member of weight 0 is not
                evaluated.
            labels: label names by class id.
            decision: logits to class ids; plain argmax if None.
        """
        voters = {
            f"member{number}": Part(
                member.featurizer, member.core, member.decision.temperature, weight
            )
            for number, (member, weight) in enumerate(zip(members, weights, strict=True), start=1)
            if weight > 0
        }
        return cls(*join(voters), labels, decision)

    def logits(self, texts: Iterable[str]) -> np.ndarray:
        """Logits, float32 [n, num_classes], of n texts of any length and content.

        Raises:
            TypeError: `texts` is a single string, or one of them is not a string.
            RuntimeError: the process was forked from the one that loaded the classifier.
        """
        _check_process()
        encoded = [text.encode("utf-8", "replace") for text in check_texts(texts)]
        logits = np.empty((len(encoded), len(self.labels)), dtype=np.float32)
        cells = max(self.featurizer.inputs.values()) * len(self.labels)
        most = BATCH_SIZE_OF_TOKENS if self.featurizer.needs_tf_text else BATCH_SIZE
        size = max(1, min(most, MOST_CELLS // cells))
        for rows in batch_by_length(self.featurizer, encoded, size):
            logits[rows] = self._logits(tf.constant([encoded[i] for i in rows])).numpy()
        return logits

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Calibrated probabilities, float64 [n, num_classes], of n texts."""
        return np.exp(self.decision.log_probabilities(self.logits(texts)))

    def predict(self, texts: Iterable[str]) -> pd.DataFrame:
        """Labels n texts.

        Returns:
            Frame of n rows: predicted_label (str), confidence (calibrated probability of that
            label), review (bool, whether a person should review it), and p_LABEL for each label.
        """
        decided, review, probabilities = self.run(texts)
        return describe_decisions(self.labels, decided, probabilities, review)

    def run(self, texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the model makes of n texts.

        Returns:
            Class ids after the decision rule, int64 [n]; whether a person should review each, bool
            [n]; and calibrated probabilities, float64 [n, num_classes].
        """
        logits = self.logits(texts)
        decided = self.decision.decide(logits)
        probabilities = np.exp(self.decision.log_probabilities(logits))
        return decided, self.decision.flag(logits, decided), probabilities

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the folder.

        Raises:
            PicklingError: the classifier was not loaded from a folder.
        """
        if self.folder is None:
            raise pickle.PicklingError(
                "a classifier is pickled by its folder, and this one was not loaded from a run"
            )
        return type(self).load, (self.folder,)


_process: int | None = None
"""The process whose TensorFlow has started, with threads that a forked process lacks."""


def _check_process() -> None:
    """Checks that TensorFlow was not started in a process that this one was forked from."""
    global _process
    _process = _process or os.getpid()
    if _process != os.getpid():
        raise RuntimeError(
            f"process {os.getpid()} was forked from {_process} after a model was loaded there, and "
            "TensorFlow would wait for ever; load it in each worker instead (gunicorn without "
            '--preload, multiprocessing with get_context("spawn"))'
        )
