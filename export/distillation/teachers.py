"""Teachers: finished runs and the TF-IDF baseline, with predictions that are cached on disk."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
from scipy.special import softmax

from kerasclf.classifier import KerasClassifier
from kerasclf.config import TrainConfig
from kerasclf.console import say
from kerasclf.evaluation.baseline import make_svm
from kerasclf.files import replacing
from kerasclf.job.folds import Predictor, Rows, fold_folder, predict_out_of_fold
from kerasclf.job.job import Job
from kerasclf.job.train_rows import calibrate, make_trainer
from kerasclf.report.wording import describe_duration
from kerasclf.run.layout import RunLayout

CHUNK_TEXTS = 2048
"""Number of texts whose predictions are cached in one file."""
REPORT_SECONDS = 10.0
"""Time between two lines on how far the labelling is."""


@dataclass(frozen=True)
class Teacher:
    """A model that labels texts for a student.

    Attributes:
        name: name in messages.
        train: trains such a model on given rows, for out-of-fold predictions.
        load: loads or fits the whole model; called only if a prediction is not cached.
        fold_cache: folder of its out-of-fold predictions.
        cache: folder of the whole model's predictions.
    """

    name: str
    train: Callable[[Rows], Predictor]
    load: Callable[[], Predictor]
    fold_cache: Path
    cache: Path

    def predict(self, texts: list[str]) -> np.ndarray:
        """Predicts texts by the whole model, or reads the predictions from the cache.

        Each chunk of texts is cached as soon as it is finished: a large teacher needs half an hour
        for 100,000 texts.

        Args:
            texts: n strings, at least one.

        Returns:
            Log-probabilities, float64 [n, num_classes].
        """
        predictions = []
        labelled, begun, reported = 0, 0.0, 0.0
        for start in range(0, len(texts), CHUNK_TEXTS):
            chunk = texts[start : start + CHUNK_TEXTS]
            digest = sha256()
            for text in chunk:
                digest.update(text.encode("utf-8", "replace") + b"\0")
            path = self.cache / f"{digest.hexdigest()[:16]}.npy"
            if not path.is_file():
                model = self.load()
                if not labelled:
                    # Loading and fitting a teacher says nothing about its rate.
                    begun = reported = time.monotonic()
                with replacing(path) as beside:
                    np.save(beside, model(chunk))
                labelled += len(chunk)
                now = time.monotonic()
                if now - reported > REPORT_SECONDS:
                    reported, rate = now, labelled / (now - begun)
                    left = describe_duration((len(texts) - start - len(chunk)) / rate)
                    say(
                        f"{self.name}: {start + len(chunk)} of {len(texts)} texts labelled, "
                        f"{rate:.0f} texts/s, {left} left"
                    )
            predictions.append(np.load(path))
        return np.concatenate(predictions)

    def predict_training_rows(self, job: Job, folds: int) -> np.ndarray:
        """Predicts the training rows of a job.

        Args:
            job: the job; its seed is that of the folds.
            folds: number of folds for out-of-fold predictions; 0 for those of the whole model.

        Returns:
            Log-probabilities, float64 [n, num_classes].
        """
        if not folds:
            return self.predict(job.texts_and_class_ids("train")[0])
        return predict_out_of_fold(self.name, self.train, job, folds, self.fold_cache)[0]


def run_teacher(layout: RunLayout, job: Job) -> Teacher:
    """A finished run as a teacher.

    Args:
        layout: the run.
        job: provides the rows of the folds, and the validation rows that calibrate the teacher.
    """
    config = TrainConfig.from_yaml(layout.config)
    return Teacher(
        name=str(layout.root),
        train=make_trainer(config, job),
        load=cache(lambda: calibrate(KerasClassifier.load(layout.root).logits, job)),
        fold_cache=fold_folder(layout.root.parent, config),
        cache=_soft_labels_folder(layout),
    )


def baseline_teacher(layout: RunLayout, job: Job) -> Teacher:
    """The TF-IDF baseline as a teacher; the margins of its SVM are used as logits.

    Args:
        layout: the run beside which predictions are cached.
        job: provides the rows to learn from, and the validation rows that calibrate the teacher.
    """

    def train(rows: Rows) -> Predictor:
        model = make_svm(job.config.seed).fit(rows.texts, rows.class_ids)

        def margins(texts: list[str]) -> np.ndarray:
            margin = model.decision_function(texts)
            return margin if margin.ndim == 2 else np.stack([-margin, margin], axis=1)

        return calibrate(margins, job)

    return Teacher(
        name="TF-IDF",
        train=train,
        load=cache(lambda: train(Rows(*job.texts_and_class_ids("train")))),
        fold_cache=layout.root.parent / "out_of_fold" / "baseline",
        cache=_soft_labels_folder(layout) / "baseline",
    )


def _soft_labels_folder(layout: RunLayout) -> Path:
    """Folder of a run's cached predictions: beside the run, whose own files never change."""
    return layout.root.parent / "soft_labels" / layout.root.name


def average(log_probabilities: list[np.ndarray], weights: list[float]) -> np.ndarray:
    """The normalized geometric mean of the predictions of several teachers.

    Args:
        log_probabilities: of each teacher, float64 [n, num_classes].
        weights: one weight per teacher.

    Returns:
        Probabilities, float32 [n, num_classes].
    """
    mean = np.average(np.stack(log_probabilities), axis=0, weights=weights)
    return softmax(mean, axis=1).astype(np.float32)
