"""What teachers say of texts: probabilities of the TF-IDF baseline, averages, and students."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import softmax

from kerasclf.config import TrainConfig
from kerasclf.evaluation.baseline import make_baseline
from kerasclf.job.folds import Rows, Teacher
from kerasclf.job.prepare import Job
from kerasclf.job.train_rows import calibrated


def train_baseline(job: Job) -> Callable[[Rows], Teacher]:
    """Fits the TF-IDF baseline on given rows; its margins are taken for logits."""

    def train(rows: Rows) -> Teacher:
        model = make_baseline(job.config.seed).fit(*rows)

        def margins(texts: list[str]) -> np.ndarray:
            found = model.decision_function(texts)
            return found if found.ndim == 2 else np.stack([-found, found], axis=1)

        return calibrated(margins, job)

    return train


def average(opinions: list[np.ndarray], weights: list[float]) -> np.ndarray:
    """Weighted mean of log-probabilities, normalized: float32 [n, classes] probabilities."""
    mean = np.average(np.stack(opinions), axis=0, weights=weights)
    return softmax(mean, axis=1).astype(np.float32)


def student_config(base: TrainConfig, name: str, split: Path, seed: int) -> TrainConfig:
    """The configuration of a student on a teacher's data and split."""
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
