"""A model trained on given rows, without leaving a run: for folds and for smaller students."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from kerasclf.augmentation.new_rows import augment_rows, extend
from kerasclf.classifier import Classifier
from kerasclf.config import TrainConfig
from kerasclf.decision.temperature import fit_temperature
from kerasclf.job.folds import Rows, Teacher
from kerasclf.job.prepare import Job
from kerasclf.layout import RunLayout
from kerasclf.models.build import build_model
from kerasclf.training.distillation import Teaching
from kerasclf.training.fit import fit
from kerasclf.training.losses import SparseFocalLoss
from kerasclf.training.strategy import prepare


def train_classifier(
    config: TrainConfig, job: Job, rows: Rows, teaching: Teaching | None = None
) -> Classifier:
    """Trains a model on given rows, stopped by the job's validation rows, and leaves no run.

    Args:
        config: a resolved configuration; its data are not read.
        job: whose labels, class counts, validation and test rows are used; of the last, no new
            row may be a near-copy.
        rows: to learn from, and to make new rows of if the configuration says so.
        teaching: what a teacher says of those rows.

    Returns:
        The classifier, with a plain decision.
    """
    labels = job.examples.labels
    prepare(config.seed, config.mixed_precision)
    featurizer, core = build_model(config, len(labels))
    weights = replace(job, config=config).class_weights()
    loss = SparseFocalLoss(config.focal_gamma, weights, config.label_smoothing)
    # Of these rows alone: a new row made of a row that is held out would tell of it.
    augmented = augment_rows(config, *rows, job.measured_texts()) if config.recipes else None
    texts, classes, sources = extend(*rows, augmented)
    if teaching is not None:
        teaching = teaching.repeat(sources)
    with tempfile.TemporaryDirectory() as folder:
        layout = RunLayout(Path(folder))
        validation = job.texts_and_classes("validation")
        fit(core, featurizer, (texts, classes), validation, loss, config, layout, teaching)
        prepare(config.seed, mixed_precision=False)
        if config.mixed_precision:
            featurizer, core = build_model(config, len(labels))
        core.load_weights(layout.best_weights)
    return Classifier(featurizer, core, labels)


def train_run(config: TrainConfig, job: Job) -> Callable[[Rows], Teacher]:
    """Trains a model as a run was trained, on given rows."""
    return lambda rows: calibrated(train_classifier(config, job, rows).logits, job)


def calibrated(logits: Callable[[list[str]], np.ndarray], job: Job) -> Teacher:
    """A teacher whose temperature fits the job's validation rows."""
    texts, classes = job.texts_and_classes("validation")
    temperature = fit_temperature(logits(texts), classes)
    return lambda more: log_softmax(logits(more).astype(np.float64) / temperature, axis=1)
