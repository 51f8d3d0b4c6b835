"""Suspected labels: those that are improbable to models which were not trained on the row."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from kerasclf.config import TrainConfig
from kerasclf.console import quiet_imports
from kerasclf.errors import UserError
from kerasclf.evaluation.baseline import MOST_REGRESSION_WEIGHTS
from kerasclf.evaluation.tfidf import make_features
from kerasclf.files import load_table
from kerasclf.job.folds import Predictor, Rows, check_folds, fold_folder, predict_out_of_fold
from kerasclf.job.job import Job
from kerasclf.job.prepare import prepare_job
from kerasclf.run.layout import RunLayout

FOLDS = 5
C = 10.0
"""Of scikit-learn, as of the baseline."""
ROUNDS = (1, 1, 2, 2)
"""Weights of the rounds of out-of-fold predictions; the last two train without suspects."""
LEAST = 1e-30
"""Least probability."""
SHOWN = 5
"""Near-duplicates with other labels that are named at most."""


def label_quality(probabilities: np.ndarray, class_ids: np.ndarray) -> np.ndarray:
    """How much models trust given labels, against the best other label: p / (p + sqrt(q)).

    p is the probability of the given label, and q the largest one of another label. p alone is the
    self-confidence of Kuan and Mueller, Model-agnostic label quality scoring to detect real-world
    label errors, 2022; it cannot tell a label that lost against one other from one that is
    improbable since there are many classes.

    >>> label_quality(np.array([[0.0, 1.0], [0.36, 0.64], [1.0, 0.0]]), np.array([0, 0, 0]))
    array([0.        , 0.31034483, 1.        ])

    Args:
        probabilities: float [n, num_classes], of models that were not trained on the row.
        class_ids: int64 [n], the given labels.

    Returns:
        float64 [n], between 0 and 1.
    """
    others = np.array(probabilities, dtype=np.float64)
    each = np.arange(len(class_ids))
    given = others[each, class_ids]
    others[each, class_ids] = 0.0
    return given / np.maximum(given + np.sqrt(others.max(axis=1)), LEAST)


def prepare_review(layout: RunLayout, folds: int) -> Job:
    """A job on the data and split of a run, whose training rows can be split into folds.

    Raises:
        UserError: the run is an ensemble, its data cannot be read again, or a class is too small.
    """
    if layout.ensemble.is_file():
        raise UserError(f"{layout.root} is an ensemble; review one of its members")
    job = prepare_job(replace(TrainConfig.from_yaml(layout.config), split=layout.root))
    check_folds(job, folds)
    return job


def predict_unseen(
    job: Job, folds: int = FOLDS, with_network: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Predicts training and validation rows by models that were not trained on them.

    Training rows are predicted by the model of their fold, validation rows by the mean of the
    models of all folds. The rows are cut into folds twice, since a row's probability depends on
    what is in its fold. Wrong labels mislead these models: two more rounds train without the rows
    that the first two suspect most, and count twice. What was predicted is kept, so that an
    interrupted command goes on.

    Args:
        job: a prepared job that passes `check_folds`.
        folds: number of folds.
        with_network: whether the models of the folds are those of the run; else TF-IDF and a
            logistic regression, which take seconds.

    Returns:
        Probabilities, float64 [n, num_classes], of the training and of the validation rows.
    """
    name, cache = job.config.name, fold_folder(job.config.output / job.config.name, job.config)
    if with_network:
        # TensorFlow takes seconds to import: only after the data has been checked.
        with quiet_imports():
            from kerasclf.job.train_rows import make_trainer

        train = make_trainer(job.config, job)
    else:
        train, cache = (
            partial(fit_regression, num_classes=len(job.examples.labels)),
            cache / f"tfidf_c{C:g}",
        )
    again = replace(job, config=replace(job.config, seed=job.config.seed + 1))
    rounds = [predict_out_of_fold(name, train, each, folds, cache) for each in (job, again)]
    doubted = _most_doubted(job, np.mean([np.exp(of_rows) for of_rows, _ in rounds], axis=0))
    for each, folder in ((job, "without_suspects"), (again, "without_suspects_again")):
        rounds.append(
            predict_out_of_fold(
                f"{name} without {len(doubted)} suspects",
                lambda rows: train(_without(rows, doubted)),
                each,
                folds,
                cache / folder,
            )
        )
    of_training = np.average([np.exp(of) for of, _ in rounds], axis=0, weights=ROUNDS)
    of_validation = [np.exp(of).mean(axis=0) for _, of in rounds]
    return of_training, np.average(of_validation, axis=0, weights=ROUNDS)


def fit_regression(rows: Rows, num_classes: int) -> Predictor:
    """Fits a balanced logistic regression on TF-IDF, on the n-grams that are in the most rows.

    Args:
        rows: rows to learn from.
        num_classes: number of classes; one without a row gets a tiny probability.

    Returns:
        Texts to log-probabilities, float64 [n, num_classes].
    """
    features = make_features()
    trained = features.fit_transform(rows.texts)
    in_rows = trained.getnnz(axis=0)
    kept = np.argsort(-in_rows, kind="stable")[: MOST_REGRESSION_WEIGHTS // num_classes]
    kept = np.sort(kept[in_rows[kept] > 1])
    model = LogisticRegression(C=C, class_weight="balanced", max_iter=1000, tol=1e-3)
    model.fit(trained[:, kept], rows.class_ids, rows.weights)

    def predict(texts: list[str]) -> np.ndarray:
        found = np.full((len(texts), num_classes), np.log(LEAST))
        found[:, model.classes_] = model.predict_log_proba(features.transform(texts)[:, kept])
        return np.maximum(found, np.log(LEAST))

    return predict


def find_suspects(
    layout: RunLayout, job: Job, folds: int = FOLDS, with_network: bool = False
) -> pd.DataFrame:
    """Ranks the labels of all rows, the least trusted first.

    Training and validation rows are judged by `predict_unseen`, test rows by the run itself.

    Args:
        layout: a finished run.
        job: of `prepare_review`.
        folds: number of folds.
        with_network: as in `predict_unseen`.

    Returns:
        Frame with the columns row (int, as in split.parquet), file and line (where the user finds
        it), text, label, suggested_label, label_quality, p_label, p_suggested, split,
        other_labels (of near-duplicates: str, "" for none), text_hash.
    """
    of_training, of_validation = predict_unseen(job, folds, with_network)
    probabilities = {
        "train": of_training,
        "validation": of_validation,
        "test": _of_test(layout, job, list(job.examples.labels)),
    }
    frames = [_rank(job, name, values) for name, values in probabilities.items()]
    frame = pd.concat(frames).sort_values("label_quality", kind="stable")
    return frame.reset_index(drop=True)


def _most_doubted(job: Job, probabilities: np.ndarray) -> set[tuple[str, int]]:
    """Text and class id of the less trusted half of the training rows that look wrong."""
    texts, class_ids = job.texts_and_class_ids("train")
    quality = label_quality(probabilities, class_ids)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != class_ids)
    worst = wrong[np.argsort(quality[wrong], kind="stable")[: len(wrong) // 2]]
    # No class may vanish from a fold: one that would lose half of its rows keeps all.
    counts = np.bincount(class_ids, minlength=len(job.examples.labels))
    lost = np.bincount(class_ids[worst], minlength=len(counts))
    return {
        (texts[i], int(class_ids[i]))
        for i in worst
        if lost[class_ids[i]] * 2 < counts[class_ids[i]]
    }


def _without(rows: Rows, doubted: set[tuple[str, int]]) -> Rows:
    pairs = zip(rows.texts, rows.class_ids.tolist(), strict=True)
    return rows.take(np.flatnonzero([pair not in doubted for pair in pairs]))


def _of_test(layout: RunLayout, job: Job, labels: list[str]) -> np.ndarray:
    """Probabilities of the run for its test rows, in the order of the job."""
    stored = load_table(layout.predictions, filters=[("split", "==", "test")])
    stored = stored.drop_duplicates("text").set_index("text")[[f"p_{label}" for label in labels]]
    return stored.reindex(job.rows("test")["text"]).to_numpy()


def _rank(job: Job, name: str, probabilities: np.ndarray) -> pd.DataFrame:
    rows = job.rows(name)
    class_ids = job.texts_and_class_ids(name)[1]
    labels = np.array(job.examples.labels, dtype=object)
    inside = (job.split["split"] == name).to_numpy()
    best, each = probabilities.argmax(axis=1), np.arange(len(rows))
    frame = rows[["row", "text", "label"]].assign(
        suggested_label=labels[best],
        label_quality=label_quality(probabilities, class_ids),
        p_label=probabilities[each, class_ids],
        p_suggested=probabilities[each, best],
        split=name,
        other_labels=_other_labels(job)[inside],
        text_hash=job.split["text_hash"].to_numpy()[inside],
    )
    read = job.examples.all_rows.set_index("row").reindex(frame["row"])
    has_lines = "line" in read
    frame.insert(1, "file", read["file"].to_numpy() if has_lines else job.examples.name)
    frame.insert(2, "line", read["line"].to_numpy() if has_lines else frame["row"] + 1)
    return frame


def _other_labels(job: Job) -> np.ndarray:
    """Of each row: labels of near-duplicates that have another one, such as "weak (row 7)"."""
    rows = job.examples.rows
    found = np.full(len(rows), "", dtype=object)
    mixed = rows.groupby("near")["label"].transform("nunique") > 1
    for _, group in rows[mixed].assign(place=np.flatnonzero(mixed)).groupby("near"):
        for place, label in zip(group["place"], group["label"], strict=True):
            others = group[group["label"] != label].head(SHOWN)
            found[place] = ", ".join(
                f"{other_label} (row {row})"
                for other_label, row in zip(others["label"], others["row"], strict=True)
            )
    return found


def summarize_suspects(suspects: pd.DataFrame) -> dict[str, Any]:
    """Number of rows, and of those whose suggested label is another one, by split."""
    differs = suspects["label"] != suspects["suggested_label"]
    return {
        str(name): {"rows": len(group), "suspects": int(differs[group.index].sum())}
        for name, group in suspects.groupby("split", sort=False)
    }
