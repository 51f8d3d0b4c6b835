"""Folds of the training rows, and out-of-fold predictions of models."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from kerasclf.config import TrainConfig
from kerasclf.console import say
from kerasclf.errors import UserError
from kerasclf.files import replacing
from kerasclf.job.job import Job


class Rows(NamedTuple):
    """Rows to learn from.

    Attributes:
        texts: n strings.
        class_ids: int64 [n].
        weights: float32 [n]; None if all weigh the same.
    """

    texts: list[str]
    class_ids: np.ndarray
    weights: np.ndarray | None = None

    def take(self, positions: np.ndarray) -> "Rows":
        """The rows at some positions, int64 [m]."""
        weights = None if self.weights is None else self.weights[positions]
        return Rows([self.texts[i] for i in positions], self.class_ids[positions], weights)


Predictor = Callable[[list[str]], np.ndarray]
"""Texts to log-probabilities, float64 [n, num_classes]."""
ADDED = {
    **{"loss": "focal", "linear": "none", "source_weights": (), "group_templates": False},
    **{"freeze_layers": 0, "corrections": None, "correct_test": False},
}
"""Options that earlier versions did not have, and what they did; their folds are still found."""
NOT_LEARNED = (
    *("name", "output", "split", "target", "cost_matrix", "review_below"),
    *("header", "delimiter", "sheet", "source_column", "measure_on", "slice_column"),
)
"""Options that do not change what a model learns from given rows."""


def split_folds(
    job: Job, count: int, seed: int, inside: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields positions of training and held-out rows: stratified, near-duplicates together.

    Args:
        job: a prepared job.
        count: number of folds.
        seed: of the folds.
        inside: bool [n], the training rows that are split; None for all. Positions are among these.
    """
    class_ids, groups = _classes_and_groups(job, inside)
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    yield from splitter.split(class_ids, class_ids, groups)


def groups_of_training(job: Job) -> np.ndarray:
    """Group of each training row, int64 [n]."""
    return job.split.loc[job.split["split"] == "train", "group"].to_numpy()


def _classes_and_groups(job: Job, inside: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Class ids and groups, int64 [m], of training rows."""
    class_ids, groups = job.texts_and_class_ids("train")[1], groups_of_training(job)
    return (class_ids, groups) if inside is None else (class_ids[inside], groups[inside])


def check_folds(job: Job, count: int, inside: np.ndarray | None = None) -> None:
    """Checks that every class is in each fold.

    Args:
        job: a prepared job.
        count: number of folds.
        inside: as in `split_folds`.

    Raises:
        UserError: a class is absent from a fold.
    """
    if count < 2:
        raise UserError(f"--folds is {count}; expected at least 2")
    class_ids, groups = _classes_and_groups(job, inside)
    num_groups = [len(np.unique(groups[class_ids == i])) for i in range(len(job.examples.labels))]
    # With fewer groups than folds, scikit-learn would warn or fail with its own message.
    lacking = [i for i, number in enumerate(num_groups) if number < count] or [
        i
        for _, held in split_folds(job, count, job.config.seed, inside)
        for i in range(len(num_groups))
        if i not in class_ids[held]
    ]
    if lacking:
        raise UserError(
            f"class {job.examples.labels[lacking[0]]!r} is absent from a fold: its training rows "
            f"form {num_groups[lacking[0]]} group(s) for --folds {count}; lower --folds, add rows, "
            "or leave out small classes with --min-class-rows"
        )


def fold_folder(runs: Path, config: TrainConfig) -> Path:
    """The folder of out-of-fold predictions, shared by runs of a name that train alike.

    Args:
        runs: OUTPUT/NAME, the folder of these runs.
        config: their resolved configuration.
    """
    ignored = set(NOT_LEARNED) | {
        key for key, value in ADDED.items() if getattr(config, key) == value
    }
    if not config.has_linear_part:
        ignored |= {"linear_terms", "linear_c"}
    learned = {key: value for key, value in vars(config).items() if key not in ignored}
    return runs / "out_of_fold" / sha256(repr(sorted(learned.items())).encode()).hexdigest()[:16]


def data_digest(job: Job) -> str:
    """Digest of the rows of a job and, if there are some, of the corrections of their labels."""
    corrections = job.findings.get("corrections")
    return job.findings["sha256"] + (f" {corrections['sha256']}" if corrections else "")


def predict_out_of_fold(
    name: str, train: Callable[[Rows], Predictor], job: Job, count: int, cache: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Predicts each training row by a model that was not trained on it.

    A model has memorized its own training rows: its predictions for them teach little, and say
    nothing about its quality. Each fold is cached as soon as it is finished.

    Args:
        name: name of the model in messages.
        train: trains a model on rows.
        job: the job whose training rows are predicted.
        count: number of folds.
        cache: folder of this model alone.

    Returns:
        Log-probabilities of the training rows, float64 [n, num_classes], and those of the
        validation rows by the model of each fold, float64 [count, m, num_classes].
    """
    rows = Rows(*job.texts_and_class_ids("train"), job.weights("train"))
    validation_texts, _ = job.texts_and_class_ids("validation")
    predictions = np.full((len(rows.texts), len(job.examples.labels)), np.nan)
    validation = []
    state = f"{data_digest(job)} {job.config.seed} {count} "
    key = sha256((state + " ".join(job.split["split"])).encode()).hexdigest()[:16]
    for number, (trained, held) in enumerate(split_folds(job, count, job.config.seed)):
        path = cache / f"{key}-{number + 1}-of-{count}.npz"
        if not path.is_file():
            say(f"{name}: fold {number + 1} of {count}")
            predict = train(rows.take(trained))
            of_fold = predict([*rows.take(held).texts, *validation_texts])
            with replacing(path) as beside:
                np.savez(beside, held=of_fold[: len(held)], validation=of_fold[len(held) :])
        with np.load(path) as cached:
            predictions[held] = cached["held"]
            validation.append(cached["validation"])
    return predictions, np.stack(validation)
