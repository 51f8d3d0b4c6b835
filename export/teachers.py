"""What teachers say of texts: probabilities of the TF-IDF baseline, and averages."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
from scipy.special import softmax

from kerasclf.command import say
from kerasclf.evaluation.baseline import make_baseline
from kerasclf.files import replacing
from kerasclf.job.folds import Rows, Teacher
from kerasclf.job.prepare import Job
from kerasclf.job.train_rows import calibrated

PART = 16384
"""Texts that a teacher is asked for at once."""


def train_baseline(job: Job) -> Callable[[Rows], Teacher]:
    """Fits the TF-IDF baseline on given rows; its margins are taken for logits."""

    def train(rows: Rows) -> Teacher:
        model = make_baseline(job.config.seed).fit(*rows)

        def margins(texts: list[str]) -> np.ndarray:
            found = model.decision_function(texts)
            return found if found.ndim == 2 else np.stack([-found, found], axis=1)

        return calibrated(margins, job)

    return train


def say_once(
    name: str, teacher: Callable[[], Teacher], texts: list[str], cache: Path
) -> np.ndarray:
    """What a whole teacher says of texts, computed once and kept.

    Many texts are asked for in parts, each kept as soon as it is done: a large teacher
    needs half an hour for some 100,000 texts.

    Args:
        name: of the teacher in messages.
        teacher: loads or fits it; called only if it is asked.
        texts: n strings.
        cache: folder of this teacher alone.

    Returns:
        float64 [n, classes], log-probabilities.
    """
    said = []
    for start in range(0, len(texts), PART):
        part = texts[start : start + PART]
        digest = sha256()
        for text in part:
            digest.update(text.encode("utf-8", "replace") + b"\0")
        path = cache / f"{digest.hexdigest()[:16]}.npy"
        if not path.is_file():
            if len(texts) > PART:
                say(f"{name}: texts {start + 1} to {start + len(part)} of {len(texts)}")
            with replacing(path) as beside:
                np.save(beside, teacher()(part))
        said.append(np.load(path))
    return np.concatenate(said)


def average(opinions: list[np.ndarray], weights: list[float]) -> np.ndarray:
    """Weighted mean of log-probabilities, normalized: float32 [n, classes] probabilities."""
    mean = np.average(np.stack(opinions), axis=0, weights=weights)
    return softmax(mean, axis=1).astype(np.float32)
