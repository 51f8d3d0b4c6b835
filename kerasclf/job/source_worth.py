"""What rows of another source are worth: models with and without them, measured on trusted rows."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from kerasclf.console import say
from kerasclf.data.sources import UNKNOWN
from kerasclf.errors import UserError
from kerasclf.files import replacing
from kerasclf.job.folds import (
    Predictor,
    Rows,
    check_folds,
    data_digest,
    fold_folder,
    groups_of_training,
    split_folds,
)
from kerasclf.job.job import Job
from kerasclf.statistics.bootstrap import compare, measure_decisions

SHARES = (0.25, 0.5, 1.0)
"""Shares of the rows of a source that are added."""


def trusted_rows(job: Job, count: int) -> np.ndarray:
    """Which training rows are of a measured source, bool [n].

    Args:
        job: a prepared job.
        count: number of folds.

    Raises:
        UserError: there is no other source, or a class is absent from a fold.
    """
    trusted = job.rows("train")["source"].isin(job.config.measure_on).to_numpy()
    if trusted.all():
        raise UserError(
            f"--measure-on {' '.join(job.config.measure_on)} names every source with training "
            "rows; leave out those whose worth is in question"
        )
    check_folds(job, count, trusted)
    return trusted


def measure_worth(
    job: Job, trusted: np.ndarray, train: Callable[[Rows], Predictor], count: int
) -> dict[str, Any]:
    """Measures models on trusted training rows, by cross-validation, with and without each source.

    Rows of a source that are in the group of a held-out row are not trained on. The rows of a
    smaller share are among those of a larger one. Test rows are not read. What was predicted is
    kept, so that an interrupted command goes on.

    Args:
        job: a prepared job.
        trusted: bool [n], which of its training rows are measured.
        train: trains a calibrated model on given rows.
        count: number of folds.

    Returns:
        "measured", names of the trusted sources; "rows"; "folds"; "alone", accuracy and macro_f1 of
        the trusted rows alone with intervals; and under "sources", by name, "rows", "curve" (share,
        rows, measures, and the paired difference in macro-F1 to the trusted rows alone), and the
        "verdict" on all rows: better, worse or undecided.
    """
    rows = Rows(*job.texts_and_class_ids("train"), job.weights("train"))
    names = job.rows("train")["source"].replace("", UNKNOWN).to_numpy()
    class_ids, num_classes = rows.class_ids[trusted], len(job.examples.labels)

    def predict(added: np.ndarray, title: str) -> np.ndarray:
        return _predict_trusted(job, rows, trusted, added, train, count, title)

    alone = predict(np.zeros(0, dtype=np.int64), "trusted rows alone")
    random = np.random.default_rng(job.config.seed)
    sources: dict[str, Any] = {}
    for name in sorted(set(names[~trusted])):
        order = random.permutation(np.flatnonzero(~trusted & (names == name)))
        curve: list[dict[str, Any]] = []
        for share in SHARES:
            added = np.sort(order[: max(1, round(share * len(order)))])
            predicted = predict(added, f"with {share:.0%} of {name}")
            curve.append(
                {
                    "share": share,
                    "rows": len(added),
                    "measures": measure_decisions(
                        class_ids, predicted, num_classes, job.config.seed
                    ),
                    "difference": compare(
                        class_ids, predicted, alone, num_classes, job.config.seed
                    ),
                }
            )
        verdict = curve[-1]["difference"]["verdict"]
        sources[name] = {"rows": len(order), "curve": curve, "verdict": verdict}
    return {
        "measured": list(job.config.measure_on),
        "rows": int(trusted.sum()),
        "folds": count,
        "alone": measure_decisions(class_ids, alone, num_classes, job.config.seed),
        "sources": sources,
    }


def _predict_trusted(
    job: Job,
    rows: Rows,
    trusted: np.ndarray,
    added: np.ndarray,
    train: Callable[[Rows], Predictor],
    count: int,
    title: str,
) -> np.ndarray:
    """Class ids, int64 [m], of the trusted rows by models that were trained on the other folds."""
    positions = np.flatnonzero(trusted)
    predicted = np.zeros(len(positions), dtype=np.int64)
    for path, trained, held in _folds(job, positions, added, count):
        if not path.is_file():
            say(f"{title}: fold {path.stem.split('-')[1]} of {count}")
            model = train(rows.take(trained))
            with replacing(path) as beside:
                np.savez(beside, held=model(rows.take(positions[held]).texts).argmax(axis=1))
        with np.load(path) as cached:
            predicted[held] = cached["held"]
    return predicted


def _folds(
    job: Job, positions: np.ndarray, added: np.ndarray, count: int
) -> Iterator[tuple[Path, np.ndarray, np.ndarray]]:
    """Yields file of the predictions, training positions, and held-out rows among the trusted."""
    config, groups = job.config, groups_of_training(job)
    inside = np.zeros(len(groups), dtype=bool)
    inside[positions] = True
    state = f"{data_digest(job)} {config.seed} {count} {' '.join(job.split['split'])} "
    state += f"{inside.tobytes().hex()} {added.tobytes().hex()} {groups.tobytes().hex()}"
    key = sha256(state.encode()).hexdigest()[:16]
    folder = fold_folder(config.output / config.name, config) / "sources"
    for number, (fitted, held) in enumerate(split_folds(job, count, config.seed, inside), start=1):
        clean = added[~np.isin(groups[added], groups[positions[held]])]
        yield folder / f"{key}-{number}-of-{count}.npz", np.append(positions[fitted], clean), held
