"""Everything that is known before training starts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from kerasclf.augmentation.new_rows import extend
from kerasclf.config import TrainConfig
from kerasclf.data.examples import Examples
from kerasclf.data.left_out import find_left_out
from kerasclf.data.sources import repeat_weights, weigh_rows
from kerasclf.decision.costs import read_costs
from kerasclf.run.layout import RunLayout
from kerasclf.training.class_weights import class_weights


@dataclass
class Job:
    """Everything that is known before training starts.

    Attributes:
        config: resolved configuration.
        examples: the cleaned rows.
        findings: findings of the doctor.
        split: frame of `split_examples`.
        augmented: frame of `augment_rows` and the labels; None without augmentation.
        layout: the interrupted run to resume; None for a new run.
        seconds: duration of each phase so far.
    """

    config: TrainConfig
    examples: Examples
    findings: dict[str, Any]
    split: pd.DataFrame
    augmented: pd.DataFrame | None = None
    layout: RunLayout | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measures the duration of a phase."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)

    def rows(self, split: str) -> pd.DataFrame:
        """The rows of a split."""
        return self.examples.rows[(self.split["split"] == split).to_numpy()]

    def texts_and_class_ids(self, split: str) -> tuple[list[str], np.ndarray]:
        """Texts, and class ids int64 [n], of a split."""
        inside = (self.split["split"] == split).to_numpy()
        class_ids = self.examples.class_ids.to_numpy(dtype=np.int64)[inside]
        return self.examples.rows["text"][inside].tolist(), class_ids

    def training_rows(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        """The rows to learn from: the training rows and the rows augmented from them.

        Returns:
            n + m texts; int64 [n + m], their class ids; and int64 [m], positions of the training
            rows that the augmented rows were made from.
        """
        return extend(*self.texts_and_class_ids("train"), self.augmented)

    def weights(self, split: str) -> np.ndarray | None:
        """Weights in training of the rows of a split, float32 [n]; None if all weigh the same."""
        return weigh_rows(self.rows(split)["source"], self.config)

    def training_weights(self) -> np.ndarray | None:
        """Weights of the rows of `training_rows`, float32 [n + m]; None if all weigh the same."""
        return repeat_weights(self.weights("train"), self.training_rows()[2])

    def measured_texts(self) -> list[str]:
        """Texts of the validation and test rows."""
        return [*self.texts_and_class_ids("validation")[0], *self.texts_and_class_ids("test")[0]]

    def class_weights(self) -> list[float] | None:
        """Class weights of the loss, from the original training rows alone.

        An augmented row is a variant of another row, not new evidence of how frequent or how
        diverse its class is.
        """
        labels = self.examples.labels
        counts = np.bincount(self.texts_and_class_ids("train")[1], minlength=len(labels))
        return class_weights(self.config.class_weights, counts, labels)

    def left_out(self) -> pd.DataFrame:
        """The rows of given splits that are copies of rows of a later split."""
        return find_left_out(self.examples, self.split)

    def check_files(self) -> None:
        """Checks the files of the user that are needed only later.

        Raises:
            UserError: the class weights or the cost matrix cannot be read.
        """
        self.class_weights()
        self.costs()

    def costs(self) -> np.ndarray | None:
        """Cost matrix of the decision, float64 [num_classes, num_classes], or None."""
        path = self.config.cost_matrix
        return read_costs(path, self.examples.labels) if path else None

    def warnings(self) -> list[str]:
        """Warnings that the user should read before the results."""
        lines = list(self.findings["warnings"])
        if self.config.sampler != "natural" and self.config.class_weights != "none":
            lines.append(
                f"sampler {self.config.sampler} and class weights {self.config.class_weights} "
                "correct the imbalance twice; use one of them"
            )
        if self.config.balance_classes and self.config.class_weights != "none":
            lines.append(
                f"balanced classes and class weights {self.config.class_weights} correct the "
                "imbalance twice; use one of them"
            )
        if self.augmented is not None:
            wanted = max(1, round(self.config.augment_ratio * len(self.rows("train"))))
            kept = len(self.training_rows()[2])
            if kept < wanted:
                lines.append(
                    f"only {kept} of {wanted} new rows could be created: {self.config.augment} "
                    "changes too few texts"
                )
        return lines
