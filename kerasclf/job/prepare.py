"""Before training: data read, examined and split, and every file of the user checked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasclf.augmentation.new_rows import augment_rows, extend
from kerasclf.config import TrainConfig
from kerasclf.data.duplicates import group_texts
from kerasclf.data.examples import Examples, load_examples
from kerasclf.data.findings import examine
from kerasclf.data.splits import split_examples
from kerasclf.decision.costs import read_costs
from kerasclf.errors import UserError
from kerasclf.evaluation.targets import parse_target
from kerasclf.files import check_writable, read_json
from kerasclf.layout import RunLayout
from kerasclf.training.class_weights import class_weights


@dataclass
class Job:
    """What is known before training starts.

    Attributes:
        config: resolved configuration.
        examples: the clean rows.
        findings: the doctor's.
        split: frame of `split_examples`.
        augmented: new rows made of training rows; None without augmentation.
        layout: the cut-off run that is gone on with; None for a new one.
        seconds: seconds of each phase so far.
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
        """Counts the seconds of a phase."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)

    def rows(self, split: str) -> pd.DataFrame:
        """The rows of a split."""
        return self.examples.rows[(self.split["split"] == split).to_numpy()]

    def texts_and_classes(self, split: str) -> tuple[list[str], np.ndarray]:
        """Texts, and class ids int64 [n], of a split."""
        inside = (self.split["split"] == split).to_numpy()
        classes = self.examples.classes.to_numpy(dtype=np.int64)[inside]
        return self.examples.rows["text"][inside].tolist(), classes

    def training_rows(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        """What is learned from: the training rows and the new rows made of them.

        Returns:
            Texts, class ids int64 [n + m], and int64 [m], places of the training rows that the new
            ones were made of.
        """
        return extend(*self.texts_and_classes("train"), self.augmented)

    def measured_texts(self) -> list[str]:
        """Texts of the validation and the test rows."""
        return [*self.texts_and_classes("validation")[0], *self.texts_and_classes("test")[0]]

    def class_weights(self) -> list[float] | None:
        """The loss's weight of each class, from the original training rows alone.

        A new row is a copy, no new evidence of how frequent its class is, or of what it looks like;
        effective weights, above all, count what is distinct.
        """
        labels = self.examples.labels
        counts = np.bincount(self.texts_and_classes("train")[1], minlength=len(labels))
        return class_weights(self.config.class_weights, counts, labels)

    def check_files(self) -> None:
        """Checks the user's files that are needed only later.

        Raises:
            UserError: the class weights or the cost matrix cannot be read.
        """
        self.class_weights()
        self.costs()

    def costs(self) -> np.ndarray | None:
        """The decision's cost matrix, float64 [classes, classes], if there is one."""
        path = self.config.cost_matrix
        return read_costs(path, self.examples.labels) if path else None

    def warnings(self) -> list[str]:
        """Lines that the user should read before the training's figures."""
        lines = list(self.findings["warnings"])
        if self.config.sampler != "natural" and self.config.class_weights != "none":
            lines.append(
                f"sampler {self.config.sampler} and class weights {self.config.class_weights} "
                "count the imbalance twice; use one of them"
            )
        if self.config.balance_classes and self.config.class_weights != "none":
            lines.append(
                f"balanced classes and class weights {self.config.class_weights} count the "
                "imbalance twice; use one of them"
            )
        if self.augmented is not None:
            wanted = max(1, round(self.config.augment_ratio * len(self.rows("train"))))
            kept = len(self.training_rows()[2])
            if kept < wanted:
                lines.append(
                    f"only {kept} of {wanted} new rows could be made: too few texts are changed by "
                    f"{self.config.augment}"
                )
        return lines


def prepare_job(config: TrainConfig) -> Job:
    """Reads, examines and splits the data, and checks every file that will be needed later.

    Raises:
        UserError: something that the user gave does not fit; nothing was written.
    """
    config.check()
    config = config.resolved()
    for target in config.target:
        parse_target(target)
    check_writable(config.output / config.name / "new")
    start = time.perf_counter()
    locked = None if config.split is None else pd.read_parquet(RunLayout.open(config.split).split)
    examples, groups, findings = examine_data(config)
    split = split_examples(
        examples, groups, config.validation_share, config.test_share, config.seed, locked
    )
    job = Job(config, examples, findings, split)
    job.check_files()
    job.seconds["data"] = round(time.perf_counter() - start, 3)
    if config.recipes:
        with job.phase("augment"):
            job.augmented = _augment(job)
    return job


def _augment(job: Job) -> pd.DataFrame:
    """The new rows, with the source's row and label before the columns of `augment_rows`."""
    found = augment_rows(job.config, *job.texts_and_classes("train"), job.measured_texts())
    sources = job.rows("train")[["row", "label"]].iloc[found["source"]]
    return pd.concat([sources.reset_index(drop=True), found], axis="columns")


def examine_data(config: TrainConfig) -> tuple[Examples, np.ndarray, dict[str, Any]]:
    """Reads the data and has it examined.

    Returns:
        The clean rows; int64 [n], the near-duplicate group of each; and the doctor's findings.

    Raises:
        UserError: the data cannot be read or learned from.
    """
    examples = load_examples(config)
    groups = group_texts(examples.rows["text"].tolist(), examples.rows["group"].tolist())
    max_bytes = config.max_bytes if config.encoder == "bytes" else None
    return examples, groups, examine(examples, groups, max_bytes, config.test_share)


def same_data(base: TrainConfig, name: str, split: Path, seed: int) -> TrainConfig:
    """The configuration of another model on a run's data and split."""
    return replace(
        TrainConfig(),
        **{
            key: getattr(base, key)
            for key in (
                *("dataset", "data", "validation", "test", "text_column", "label_column"),
                *("group_column", "split_column", "encoding", "label_order", "min_class_rows"),
                *("validation_share", "test_share", "output", "target", "review_below"),
            )
        },
        split=split,
        name=name,
        seed=seed,
    )


def load_unchanged(layout: RunLayout) -> Examples:
    """The rows of a run, read again from where it had them.

    Raises:
        UserError: they cannot be read, or are no longer the same.
    """
    examples = load_examples(TrainConfig.from_yaml(layout.config))
    if examples.digest() != read_json(layout.doctor)["sha256"]:
        raise UserError(f"the data has changed since {layout.root} began; start a new run")
    return examples


def resume_job(run: Path) -> Job:
    """Takes up a run that was cut off.

    Raises:
        UserError: there is none, or its data has changed.
    """
    layout = RunLayout.reopen(run)
    config = TrainConfig.from_yaml(layout.config)
    start = time.perf_counter()
    examples = load_unchanged(layout)
    split = pd.read_parquet(layout.split)
    # Not made again: a lexicon or the cache may have changed since.
    augmented = pd.read_parquet(layout.augmented) if config.recipes else None
    job = Job(config, examples, read_json(layout.doctor), split, augmented, layout)
    job.check_files()
    job.seconds["data"] = round(time.perf_counter() - start, 3)
    return job
