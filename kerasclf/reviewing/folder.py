"""The folder of a review: a page that opens from disk, and the same lists as CSV."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from kerasclf.console import say_status
from kerasclf.data.safe_csv import write_safe_csv
from kerasclf.errors import UserError
from kerasclf.explanation.errors import explain_errors
from kerasclf.files import load_table, write_text
from kerasclf.report.rendering import make_environment
from kerasclf.reviewing.quality import find_suspects, prepare_review, summarize_suspects
from kerasclf.reviewing.selection import label_next
from kerasclf.reviewing.thresholds import measure_thresholds
from kerasclf.run.layout import RunLayout
from kerasclf.trained import Classifier

EXPLAINED = 300
"""Errors whose words are colored: the network is asked again for each word."""
MOST_SHOWN, MOST_ERRORS = 5000, 5000
"""Rows of a list on the page; CSV files have all."""
MOST_CHARACTERS = 1000
"""Of a text on the page."""


def write_review(
    run: Path | str | None,
    output: Path | None = None,
    folds: int = 5,
    with_network: bool = False,
    unlabelled: list[str] | None = None,
    count: int = 500,
    batch: int = 50,
) -> dict[str, Any]:
    """Writes index.html, suspects.csv, errors.csv and, with unlabelled texts, label_next.csv.

    Args:
        run: folder of a finished run, or of all runs of a name for the newest.
        output: folder to write; default: review/ in the run's folder.
        folds: number of folds of the out-of-fold predictions.
        with_network: as in `predict_unseen`.
        unlabelled: texts of which the ones to label next are chosen.
        count: number of these.
        batch: number of rows of a batch of these.

    Returns:
        "review", the folder; "page"; "splits", of `summarize_suspects`; "errors", their number; and
        "label_next", the number of chosen texts.

    Raises:
        UserError: there is no such run, its data has changed, or the folder cannot be written.
    """
    layout = RunLayout.open(run)
    folder = output or layout.root / "review"
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; expected a folder")
    job = prepare_review(layout, folds)
    suspects = find_suspects(layout, job, folds, with_network)
    labels = list(job.examples.labels)
    classifier = Classifier.load(layout.root)
    errors = find_errors(layout)
    say_status(f"explaining {min(len(errors), EXPLAINED)} errors")
    worst = _records(errors.head(EXPLAINED))
    explain_errors(worst, classifier.run_on, classifier.parts, labels)
    chosen = pd.DataFrame()
    if unlabelled is not None:
        say_status(f"choosing among {len(unlabelled):,} texts")
        counts = np.bincount(job.texts_and_class_ids("train")[1], minlength=len(labels))
        chosen = label_next(
            unlabelled,
            classifier.predict_proba(unlabelled),
            labels,
            counts / counts.sum(),
            count,
            batch,
            job.config.seed,
        )
    rows = load_table(layout.predictions, filters=[("split", "==", "validation")])
    folder.mkdir(parents=True, exist_ok=True)
    write_safe_csv(folder / "suspects.csv", suspects)
    write_safe_csv(folder / "errors.csv", errors)
    if unlabelled is not None:
        write_safe_csv(folder / "label_next.csv", chosen)
    page = folder / "index.html"
    data = {
        "key": f"kerasclf {layout.root.parent.name} {job.findings['sha256'][:16]}",
        "labels": labels,
        "suspects": _compact(suspects[suspects["label"] != suspects["suggested_label"]]),
        "errors": _with_words(_compact(errors.head(MOST_ERRORS)), worst),
        "thresholds": measure_thresholds(rows, labels),
        "next": _compact(chosen),
    }
    text = (
        make_environment("kerasclf.reviewing")
        .get_template("review.html.j2")
        .render(run=layout.root.name, name=layout.root.parent.name, data=to_script(data))
    )
    write_text(page, text)
    return {
        "review": str(folder),
        "page": str(page),
        "splits": summarize_suspects(suspects),
        "errors": len(errors),
        "label_next": len(chosen),
    }


def find_errors(layout: RunLayout) -> pd.DataFrame:
    """Wrong predictions of a run for validation and test rows, the most confident first.

    Returns:
        Frame with split, text, label, predicted_label and confidence.
    """
    rows = load_table(layout.predictions)
    wrong = rows[rows["label"] != rows["predicted_label"]]
    frame = wrong[["split", "text", "label", "predicted_label", "confidence"]]
    return frame.sort_values("confidence", ascending=False, kind="stable").reset_index(drop=True)


def to_script(data: dict[str, Any]) -> str:
    """JSON that no text in it can end: for a script element of a page."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _compact(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The first rows of a list, with short texts and rounded numbers."""
    if frame.empty:
        return []
    shown = frame.head(MOST_SHOWN)
    shown = shown.assign(text=shown["text"].map(lambda text: text[:MOST_CHARACTERS]))
    numbers = shown.select_dtypes("float").columns
    return _records(shown.round(dict.fromkeys(map(str, numbers), 4)))


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], frame.to_dict("records"))


def _with_words(
    errors: list[dict[str, Any]], explained: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Errors with the words of those that were explained."""
    for error, with_words in zip(errors, explained, strict=False):
        error["words"] = [word for word in with_words["words"] if word[1] <= len(error["text"])]
    return errors
