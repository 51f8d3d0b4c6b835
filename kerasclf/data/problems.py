"""The rows behind the doctor's counts: dropped ones, conflicting labels and near-duplicates."""

import numpy as np
import pandas as pd

from kerasclf.data.cells import is_blank
from kerasclf.data.duplicates import normalize
from kerasclf.data.examples import Examples

COLUMNS = ("row", "problem", "group", "label", "text")
CONFLICT, NEAR = "label differs from that of an equal text", "near-duplicate"


def list_problems(examples: Examples, groups: np.ndarray) -> pd.DataFrame:
    """Lists rows that someone should look at.

    Args:
        examples: n clean rows, and all rows as read.
        groups: int64 [n], near-duplicate groups of the clean rows.

    Returns:
        Frame with columns row (number of the row in the table, from 1; of several tables, one after
        another), problem, group (rows of a problem with one number belong together; empty for
        dropped rows), label and text. Dropped rows come first, then conflicts, then near-duplicates
        by group.
    """
    rows = examples.rows.assign(near=groups)
    rows["equal"] = pd.factorize(rows["text"].map(normalize))[0]
    conflicting = rows[rows.groupby("equal")["label"].transform("nunique") > 1]
    alike = rows[rows.groupby("near")["near"].transform("size") > 1]
    dropped = examples.all_rows[~examples.all_rows["row"].isin(rows["row"])]
    reasons = [
        _reason(text, label, examples)
        for text, label in zip(dropped["text"], dropped["label"], strict=True)
    ]
    frames = [
        dropped.assign(problem=reasons, group=""),
        conflicting.assign(problem=CONFLICT, group=conflicting["equal"]).sort_values(
            ["equal", "row"]
        ),
        alike.assign(problem=NEAR, group=alike["near"]).sort_values(["near", "row"]),
    ]
    listed = pd.concat([frame[list(COLUMNS)].astype(object) for frame in frames])
    listed["row"] += 1
    return listed.reset_index(drop=True)


def _reason(text: str, label: str, examples: Examples) -> str:
    """Why a row was dropped, in the words of the doctor."""
    if not label.strip():
        return "no label"
    if is_blank(text):
        return "empty text"
    return "class is too small" if label in examples.small_classes else "exact duplicate"
