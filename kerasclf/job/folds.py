"""Folds of the training rows, and what models say of rows that they did not learn from."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from kerasclf.command import say
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.files import replacing
from kerasclf.job.prepare import Job

Rows = tuple[list[str], np.ndarray]
"""Texts, and class ids int64 [n]."""
Teacher = Callable[[list[str]], np.ndarray]
"""Texts to log-probabilities, float64 [n, classes]."""
NOT_LEARNED = ("name", "output", "split", "target", "cost_matrix", "review_below")
"""Choices that say nothing of what a model learns from given rows."""


def folds(job: Job, count: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places of learned and of held training rows, stratified; near-duplicates stay together."""
    classes = job.texts_and_classes("train")[1]
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    yield from splitter.split(classes, classes, _groups(job))


def _groups(job: Job) -> np.ndarray:
    """The group of each training row, int64 [n]."""
    return job.split.loc[job.split["split"] == "train", "group"].to_numpy()


def check_folds(job: Job, count: int) -> None:
    """Checks that each fold holds every class.

    Raises:
        UserError: one does not.
    """
    if count < 2:
        raise UserError(f"--folds is {count}; expected at least 2")
    classes, groups = job.texts_and_classes("train")[1], _groups(job)
    ids = range(len(job.examples.labels))
    found = {i: len(np.unique(groups[classes == i])) for i in ids}
    # With fewer groups than folds the splitter would warn or fail in its own words.
    lacking = [i for i in ids if found[i] < count] or [
        i for _, held in folds(job, count, job.config.seed) for i in ids if i not in classes[held]
    ]
    if lacking:
        raise UserError(
            f"class {job.examples.labels[lacking[0]]!r} is absent from a fold: its training rows "
            f"are of {found[lacking[0]]} group(s), for --folds {count}; lower --folds, add rows, "
            "or leave small classes out with --min-class-rows"
        )


def fold_folder(runs: Path, config: TrainConfig) -> Path:
    """Where folds are kept of all runs of a name that learn alike.

    Args:
        runs: OUTPUT/NAME, the folder of these runs.
        config: their resolved configuration.
    """
    learned = {key: value for key, value in vars(config).items() if key not in NOT_LEARNED}
    return runs / "out_of_fold" / sha256(repr(sorted(learned.items())).encode()).hexdigest()[:16]


def out_of_fold(
    name: str, train: Callable[[Rows], Teacher], job: Job, count: int, cache: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Labels each training row by a teacher that did not learn from it.

    A teacher knows its own training rows by heart; what it says of them teaches little, and says
    nothing of its worth. Each fold is kept in `cache` as soon as it is done, so that nothing is
    computed twice.

    Args:
        name: of the teacher in messages.
        train: makes a teacher from rows.
        job: whose training rows are labelled.
        count: number of folds.
        cache: folder of this teacher alone.

    Returns:
        Log-probabilities of the training rows, float64 [n, classes], and each teacher's of the
        validation rows, float64 [count, m, classes].
    """
    texts, classes = job.texts_and_classes("train")
    validation_texts, _ = job.texts_and_classes("validation")
    found = np.full((len(texts), len(job.examples.labels)), np.nan)
    validation = []
    state = f"{job.findings['sha256']} {job.config.seed} {count} "
    key = sha256((state + " ".join(job.split["split"])).encode()).hexdigest()[:16]
    for number, (learned, held) in enumerate(folds(job, count, job.config.seed)):
        path = cache / f"{key}-{number + 1}-of-{count}.npz"
        if not path.is_file():
            say(f"{name}: fold {number + 1} of {count}")
            teacher = train(([texts[i] for i in learned], classes[learned]))
            said = teacher([*(texts[i] for i in held), *validation_texts])
            with replacing(path) as beside:
                np.savez(beside, held=said[: len(held)], validation=said[len(held) :])
        with np.load(path) as kept:
            found[held] = kept["held"]
            validation.append(kept["validation"])
    return found, np.stack(validation)
