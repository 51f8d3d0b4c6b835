"""Models trained on given rows without leaving a run: for folds and for smaller students."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from kerasclf.augmentation.new_rows import augment_rows, extend
from kerasclf.classifier import KerasClassifier
from kerasclf.config import TrainConfig
from kerasclf.data.sources import repeat_weights
from kerasclf.decision.temperature import fit_temperature
from kerasclf.job.folds import Predictor, Rows
from kerasclf.job.job import Job
from kerasclf.job.parts import combine, fit_linear_part
from kerasclf.run.layout import RunLayout
from kerasclf.training.distillation import SoftLabels
from kerasclf.training.fit import fit
from kerasclf.training.losses import make_loss
from kerasclf.training.network import build_network, load_best
from kerasclf.training.objective import make_objective


def train_classifier(
    config: TrainConfig, job: Job, rows: Rows, soft_labels: SoftLabels | None = None
) -> KerasClassifier:
    """Trains a model on given rows, stopped early on the validation rows, without leaving a run.

    Args:
        config: a resolved configuration; the data that it names is not read.
        job: provides labels, class counts, and validation and test rows; no augmented row may be a
            near-copy of one of the latter.
        rows: rows to learn from, and to augment if the configuration says so.
        soft_labels: probabilities of teachers for these rows.

    Returns:
        The classifier, without temperature, offsets or costs.
    """
    labels, validation = job.examples.labels, job.texts_and_class_ids("validation")
    built = build_network(config, len(labels)) if config.has_network else None
    # Only these rows are augmented: a variant of a held-out row would leak it.
    own = rows.texts, rows.class_ids
    augmented = augment_rows(config, *own, job.measured_texts()) if config.recipes else None
    texts, class_ids, sources = extend(*own, augmented)
    weights = repeat_weights(rows.weights, sources)
    if soft_labels is not None:
        soft_labels = soft_labels.repeat(sources)
    linear = None
    if config.has_linear_part:
        linear = fit_linear_part(config, texts, class_ids, len(labels), weights, soft_labels)
    if not built:
        return combine(None, linear, labels, *validation, config.seed)[0]
    strategy, featurizer, core = built
    loss = make_loss(config, replace(job, config=config).class_weights())
    objective = make_objective(texts, class_ids, loss, soft_labels, weights)
    with tempfile.TemporaryDirectory() as folder, strategy.scope():
        layout = RunLayout(Path(folder))
        fit(core, featurizer, objective, validation, loss, config, layout)
        network = KerasClassifier(*load_best(config, layout, featurizer, core), labels)
    return combine(network, linear, labels, *validation, config.seed)[0]


def make_trainer(config: TrainConfig, job: Job) -> Callable[[Rows], Predictor]:
    """A function that trains a calibrated model of a configuration on given rows."""
    return lambda rows: calibrate(train_classifier(config, job, rows).logits, job)


def calibrate(logits: Callable[[list[str]], np.ndarray], job: Job) -> Predictor:
    """Scales logits by the temperature that fits the validation rows of a job."""
    texts, class_ids = job.texts_and_class_ids("validation")
    temperature = fit_temperature(logits(texts), class_ids)
    return lambda more: log_softmax(logits(more).astype(np.float64) / temperature, axis=1)
