"""What teachers say of texts: probabilities of runs and of the TF-IDF baseline."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.model_selection import StratifiedGroupKFold

from kerasclf.augmentation.new_rows import augment_rows, extend
from kerasclf.classifier import Classifier
from kerasclf.command import say
from kerasclf.config import TrainConfig
from kerasclf.decision.temperature import fit_temperature
from kerasclf.evaluation.baseline import make_baseline
from kerasclf.files import replacing
from kerasclf.job.prepare import Job
from kerasclf.layout import RunLayout
from kerasclf.models.build import build_model
from kerasclf.training.distillation import Teaching
from kerasclf.training.fit import fit
from kerasclf.training.losses import SparseFocalLoss
from kerasclf.training.strategy import prepare

Rows = tuple[list[str], np.ndarray]
"""Texts, and class ids int64 [n]."""
Teacher = Callable[[list[str]], np.ndarray]
"""Texts to log-probabilities, float64 [n, classes]."""


def folds(job: Job, count: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places of learned and of held training rows, stratified; near-duplicates stay together."""
    inside = job.split["split"] == "train"
    groups = job.split.loc[inside, "group"]
    classes = job.texts_and_classes("train")[1]
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    yield from splitter.split(classes, classes, groups)


def out_of_fold(
    name: str, train: Callable[[Rows], Teacher], job: Job, count: int, cache: Path
) -> np.ndarray:
    """Labels each training row by a teacher that did not learn from it.

    A teacher knows its own training rows by heart; what it says of them teaches little. Each fold
    is kept in `cache` as soon as it is done, so that nothing is computed twice.

    Args:
        name: of the teacher, in the cache and in messages.
        train: makes a teacher from rows.
        job: whose training rows are labelled.
        count: number of folds.
        cache: folder.

    Returns:
        float64 [n, classes], log-probabilities.
    """
    texts, classes = job.texts_and_classes("train")
    found = np.full((len(texts), len(job.examples.labels)), np.nan)
    state = f"{name} {job.findings['sha256']} {job.config.seed} {count} {len(texts)}"
    key = sha256((state + "".join(job.split["split"])).encode()).hexdigest()[:16]
    for number, (learned, held) in enumerate(folds(job, count, job.config.seed)):
        path = cache / f"{key}-{number + 1}-of-{count}.npy"
        if not path.is_file():
            say(f"{name}: fold {number + 1} of {count}")
            teacher = train(([texts[i] for i in learned], classes[learned]))
            cache.mkdir(parents=True, exist_ok=True)
            with replacing(path) as beside:
                np.save(beside, teacher([texts[i] for i in held]))
        found[held] = np.load(path)
    return found


def train_classifier(
    config: TrainConfig, job: Job, rows: Rows, teaching: Teaching | None = None
) -> Classifier:
    """Trains a model on given rows, stopped by the job's validation rows, and leaves no run.

    Args:
        config: a resolved configuration; its data are not read.
        job: whose labels, class weights, validation and test rows are used; of the last, no new
            row may be a near-copy.
        rows: to learn from, and to make new rows of if the configuration says so.
        teaching: what a teacher says of those rows.

    Returns:
        The classifier, with a plain decision.
    """
    labels = job.examples.labels
    prepare(config.seed, config.mixed_precision)
    featurizer, core = build_model(config, len(labels))
    loss = SparseFocalLoss(config.focal_gamma, job.class_weights(), config.label_smoothing)
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


def train_baseline(job: Job) -> Callable[[Rows], Teacher]:
    """Fits the TF-IDF baseline on given rows; its margins are taken for logits."""

    def train(rows: Rows) -> Teacher:
        model = make_baseline(job.config.seed).fit(*rows)

        def margins(texts: list[str]) -> np.ndarray:
            found = model.decision_function(texts)
            return found if found.ndim == 2 else np.stack([-found, found], axis=1)

        return calibrated(margins, job)

    return train


def calibrated(logits: Callable[[list[str]], np.ndarray], job: Job) -> Teacher:
    """A teacher whose temperature fits the job's validation rows."""
    texts, classes = job.texts_and_classes("validation")
    temperature = fit_temperature(logits(texts), classes)
    return lambda more: log_softmax(logits(more).astype(np.float64) / temperature, axis=1)


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
