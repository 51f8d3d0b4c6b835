"""Are planted wrong labels found, and does correcting the first suspects help?

    python -m benchmarks.review --datasets smsa nusax-jav chat-language --rows 4000 --seeds 0

One training label in ten is changed, at random or to the class that it is most confused with. The
suspects of `kerasclf review` are ranked beside cleanlab's self-confidence on out-of-fold
predictions of TF-IDF and logistic regression (the extra `benchmarks`).
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.pipeline import make_pipeline

from kerasclf.config import TrainConfig
from kerasclf.evaluation.tfidf import make_features
from kerasclf.job.folds import Rows, split_folds
from kerasclf.job.job import Job
from kerasclf.job.prepare import prepare_job
from kerasclf.job.train_rows import make_trainer
from kerasclf.reviewing.quality import FOLDS, label_quality, predict_unseen

SHARE = 0.1
"""Of the labels that are changed."""
CORRECTED = 0.05
"""Share of the training rows whose labels are looked at."""


def prepare(dataset: str, rows: int, seed: int, folder: Path) -> Job:
    """A job with at most `rows` training rows."""
    job = prepare_job(TrainConfig(dataset=dataset, output=folder, seed=seed))
    job.config = job.config.without_network()
    train = np.flatnonzero((job.split["split"] == "train").to_numpy())
    dropped = np.random.default_rng(seed).permutation(train)[rows:]
    job.split.loc[job.split.index[dropped], "split"] = ""
    return job


def relabel(job: Job, class_ids: np.ndarray, name: str) -> Job:
    """The job with other labels of its training rows."""
    inside = (job.split["split"] == "train").to_numpy()
    labels = job.examples.rows["label"].to_numpy(dtype=object).copy()
    labels[inside] = np.array(job.examples.labels, dtype=object)[class_ids]
    rows = job.examples.rows.assign(label=labels)
    findings = job.findings | {"sha256": f"{job.findings['sha256']} {name}"}
    return replace(job, examples=replace(job.examples, rows=rows), findings=findings)


def change_labels(job: Job, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """New class ids of the training rows, and which of them were changed."""
    class_ids = job.texts_and_class_ids("train")[1].copy()
    num_classes, random = len(job.examples.labels), np.random.default_rng(seed)
    changed = np.zeros(len(class_ids), dtype=bool)
    changed[random.permutation(len(class_ids))[: round(SHARE * len(class_ids))]] = True
    if kind == "random":
        other = (class_ids + random.integers(1, num_classes, len(class_ids))) % num_classes
    else:
        unseen = predict_regression(job)
        unseen[np.arange(len(class_ids)), class_ids] = -1
        confusion = np.zeros((num_classes, num_classes))
        np.add.at(confusion, (class_ids, unseen.argmax(axis=1)), 1)
        other = confusion.argmax(axis=1)[class_ids]
    return np.where(changed, other, class_ids), changed


def predict_regression(job: Job) -> np.ndarray:
    """Out-of-fold probabilities, float64 [n, num_classes], of TF-IDF and logistic regression."""
    texts, class_ids = job.texts_and_class_ids("train")
    probabilities = np.zeros((len(texts), len(job.examples.labels)))
    for trained, held in split_folds(job, FOLDS, job.config.seed):
        regression = LogisticRegression(C=10, class_weight="balanced", max_iter=1000, tol=1e-3)
        model = make_pipeline(make_features(), regression)
        model.fit([texts[i] for i in trained], class_ids[trained])
        columns = model[-1].classes_
        probabilities[np.ix_(held, columns)] = model.predict_proba([texts[i] for i in held])
    return probabilities


def test_macro_f1(job: Job, class_ids: np.ndarray) -> float:
    """Macro-F1 on test rows of a linear part that was trained on given class ids."""
    rows = Rows(job.texts_and_class_ids("train")[0], class_ids)
    predict = make_trainer(job.config, job)(rows)
    texts, true = job.texts_and_class_ids("test")
    return float(f1_score(true, predict(texts).argmax(axis=1), average="macro"))


def measure(dataset: str, kind: str, rows: int, seed: int) -> dict[str, object]:
    """One row of the table."""
    from cleanlab.rank import get_label_quality_scores

    with tempfile.TemporaryDirectory() as folder:
        job = prepare(dataset, rows, seed, Path(folder))
        true = job.texts_and_class_ids("train")[1]
        given, changed = change_labels(job, kind, seed)
        job = relabel(job, given, f"{kind} {seed}")
        theirs = get_label_quality_scores(given, predict_regression(job), method="self_confidence")
        ours = label_quality(predict_unseen(job)[0], given)
        half, count = changed.sum() // 2, round(CORRECTED * len(given))
        worst = np.argsort(ours, kind="stable")
        corrected, at_random = given.copy(), given.copy()
        corrected[worst[:count]] = true[worst[:count]]
        looked_at = np.random.default_rng(seed + 1).permutation(len(given))[:count]
        at_random[looked_at] = true[looked_at]
        return {
            "data": dataset,
            "changed": kind,
            "seed": seed,
            "rows": len(given),
            "AP": average_precision_score(changed, -ours),
            "AP cleanlab": average_precision_score(changed, -theirs),
            "precision@half": changed[worst[:half]].mean(),
            "macro-F1": test_macro_f1(job, given),
            "5 % at random": test_macro_f1(job, at_random),
            "5 % suspects": test_macro_f1(job, corrected),
        }


def main() -> None:
    """Prints the table, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", nargs="+", default=["nusax-jav"])
    parser.add_argument("--changes", nargs="+", default=["random", "confusion"])
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    options = parser.parse_args()
    results = []
    for dataset in options.datasets:
        for kind in options.changes:
            for seed in options.seeds:
                results.append(measure(dataset, kind, options.rows, seed))
                print(pd.DataFrame(results[-1:]).to_string(index=False), flush=True)
    print(pd.DataFrame(results).to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    main()
