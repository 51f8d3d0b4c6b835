"""fastText on the rows of a job, measured as a run is."""

import time
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from kerasclf.decision.rule import Decision
from kerasclf.errors import UnsupportedError
from kerasclf.evaluation.baseline import predict_baseline
from kerasclf.evaluation.predictions import evaluate
from kerasclf.files import load_record, replacing, save_record, save_table
from kerasclf.job.job import Job
from kerasclf.statistics.bootstrap import compare
from kerasclf.statistics.metrics import confusion_matrix, summarize

SETTINGS = {"wordNgrams": 2, "minn": 2, "maxn": 5, "dim": 50, "epoch": 25, "bucket": 200_000}
"""Its own defaults, 5 epochs over whole words, learn little from few short texts."""
RATES = (0.1, 0.3, 1.0)
"""Learning rates, of which validation rows choose."""
LEAST = 1e-9
"""Lowest probability: a label that was never seen has none."""


def train_fasttext(job: Job, folder: Path) -> dict[str, Any]:
    """Trains fastText on the training rows of a job, or reads what was kept.

    Args:
        job: a prepared job.
        folder: receives metrics.json and predictions.parquet, like those of a run.

    Raises:
        UnsupportedError: fastText is not installed.
    """
    if (folder / "metrics.json").is_file():
        return {"run": str(folder), **load_record(folder / "metrics.json")}
    if find_spec("fasttext") is None:
        raise UnsupportedError(
            'fastText is not installed; install it with pip install "kerasclf[benchmarks]"'
        )
    texts, class_ids = job.texts_and_class_ids("train")
    validation, test = job.texts_and_class_ids("validation"), job.texts_and_class_ids("test")
    labels, ordered, seed = job.examples.labels, job.examples.ordered, job.config.seed
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    with replacing(folder / "rows.txt") as beside:
        lines = zip(texts, class_ids, strict=True)
        beside.write_text("".join(f"__label__{c} {_prepare(t)}\n" for t, c in lines), "utf-8")
    # In a process of its own: where memory was used before, its training meets NaN.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        arguments = (folder / "rows.txt", validation, test[0], seed)
        of_validation, of_test = pool.submit(_predict, *arguments).result()
    seconds = time.perf_counter() - start
    decision = Decision(1.0, (0.0,) * len(labels))
    baseline = predict_baseline((texts, class_ids), validation, test[0], seed).predicted
    predicted = decision.decide(of_test)
    confusion = confusion_matrix(validation[1], decision.decide(of_validation), len(labels))
    metrics = {
        "validation": {k: float(v) for k, v in summarize(confusion, ordered).items()},
        "test": evaluate(test[0], test[1], of_test, decision, labels, ordered, seed),
        "baseline": {
            "measures": {
                name: float(value)
                for name, value in summarize(
                    confusion_matrix(test[1], baseline, len(labels)), ordered
                ).items()
            },
            "macro_f1_difference": compare(test[1], predicted, baseline, len(labels), seed),
        },
        "labels": list(labels),
        "seconds": {"train": seconds},
    }
    names = np.array(labels, dtype=object)
    predictions = {"label": names[test[1]], "predicted_label": names[predicted]}
    frame = pd.DataFrame({"split": "test", **predictions, "baseline_label": names[baseline]})
    save_table(folder / "predictions.parquet", frame)
    save_record(folder / "metrics.json", metrics)
    return {"run": str(folder), **metrics}


def _prepare(text: str) -> str:
    """A text as one line in lower case."""
    return " ".join(text.lower().split())


def _predict(
    rows: Path, validation: tuple[list[str], np.ndarray], test: list[str], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Trains on a file with each learning rate, and keeps the best one on validation rows.

    Returns:
        Log-probabilities of the n validation texts and of the m test texts, float64
        [n or m, num_classes].
    """
    import fasttext

    best, kept = -1.0, None
    for rate in RATES:
        try:
            # One thread: several overwrite each other's weights, and never twice alike.
            model = fasttext.train_supervised(
                str(rows), thread=1, seed=seed, verbose=0, lr=rate, **SETTINGS
            )
        except RuntimeError:
            continue  # it diverged: "Encountered NaN"
        num_classes = len(model.labels)
        found = _log_probabilities(model, validation[0], num_classes)
        macro_f1 = f1_score(validation[1], found.argmax(axis=1), average="macro")
        if macro_f1 > best:
            best, kept = macro_f1, (found, _log_probabilities(model, test, num_classes))
    assert kept is not None
    return kept


def _log_probabilities(model: Any, texts: list[str], num_classes: int) -> np.ndarray:
    found = np.full((len(texts), num_classes), LEAST)
    for row, text in zip(found, texts, strict=True):
        # Its own wrapper asks NumPy for views that NumPy 2 cannot give.
        for probability, label in model.f.predict(_prepare(text) + "\n", num_classes, 0, "strict"):
            row[int(label.removeprefix("__label__"))] = max(probability, LEAST)
    return np.log(found)
