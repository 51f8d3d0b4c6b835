"""A classifier of texts and labels in memory: nothing is measured, and no run is written."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kerasclf.classifier import KerasClassifier
from kerasclf.config import TrainConfig
from kerasclf.data.duplicates import group_texts
from kerasclf.data.examples import Examples
from kerasclf.data.splits import assign_groups
from kerasclf.decision.rule import fit_decision
from kerasclf.errors import UserError
from kerasclf.job.defaults import fit_to_data
from kerasclf.job.folds import Rows
from kerasclf.job.job import Job
from kerasclf.job.train_rows import train_classifier


def fit_arrays(
    config: TrainConfig, texts: Sequence[str], class_ids: np.ndarray, labels: Sequence[str]
) -> KerasClassifier:
    """Trains and calibrates a classifier; a share of the texts validates.

    Near-duplicates are on one side.

    Args:
        config: a configuration; the data that it names is not read.
        texts: n strings; blank ones and copies are left out.
        class_ids: int64 [n], their class ids.
        labels: label names by class id.

    Raises:
        UserError: an option is wrong, or a class has fewer than two distinct texts.
    """
    config.check()
    rows = pd.DataFrame({"text": texts, "class_id": class_ids})
    rows = rows[rows["text"].str.strip() != ""].drop_duplicates(ignore_index=True)
    counts = np.bincount(rows["class_id"], minlength=len(labels))
    if counts.min() < 2:
        lacking = int(counts.argmin())
        raise UserError(
            f"class {labels[lacking]!r} has {counts[lacking]} distinct text(s), expected at least "
            "2, since some validate; add texts, or leave the class out"
        )
    job = _make_job(config.resolved(), rows, tuple(labels))
    training = Rows(*job.texts_and_class_ids("train"))
    classifier = train_classifier(job.config, job, training)
    validation, validation_ids = job.texts_and_class_ids("validation")
    logits = classifier.logits(validation)
    classifier.decision, _ = fit_decision(
        logits, validation_ids, None, config.review_below, config.seed
    )
    return classifier


def _make_job(config: TrainConfig, rows: pd.DataFrame, labels: tuple[str, ...]) -> Job:
    """A job of training and validation rows alone."""
    class_ids = rows["class_id"].to_numpy(dtype=np.int64)
    names = np.array(labels, dtype=object)[class_ids]
    frame = pd.DataFrame({"row": range(len(rows)), "text": rows["text"], "label": names})
    frame = frame.assign(group="", split="", source="")
    groups = group_texts(rows["text"].tolist())
    split = assign_groups(class_ids, groups, {"validation": config.validation_share}, config.seed)
    absent = [name for name in labels if name not in names[split == "validation"]]
    if absent:
        # All of its texts are near-duplicates of each other.
        raise UserError(
            f"class {absent[0]!r} has no text to validate: all of its texts are near-copies; add "
            "others"
        )
    examples = Examples("texts", frame, labels, False, {}, frame)
    frame_of_split = frame[["row", "label"]].assign(group=groups, split=split)
    config = fit_to_data(config, frame["text"][split == "train"].tolist())
    return Job(config, examples, {"warnings": []}, frame_of_split)
