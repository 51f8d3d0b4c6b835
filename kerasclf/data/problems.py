"""The rows behind the doctor's counts: dropped ones, conflicting labels and near-duplicates."""

import pandas as pd

from kerasclf.data.cells import is_blank
from kerasclf.data.duplicates import normalize
from kerasclf.data.examples import Examples

COLUMNS = ("file", "line", "problem", "group", "label", "text")
CONFLICT, NEAR = "label differs from that of an equal text", "near-duplicate"


def list_problems(examples: Examples) -> pd.DataFrame:
    """Lists rows that someone should look at.

    Args:
        examples: clean rows, with their near-duplicate groups, and all rows as read.

    Returns:
        Frame with columns file and line (where the row is, as of `read_table`; of a registered data
        set, its name and the number of the row, from 1), problem, group (rows of a problem with one
        number belong together; empty for dropped rows), label and text. Dropped rows come first,
        then conflicts, then near-duplicates by group.
    """
    rows = examples.rows.assign(equal=pd.factorize(examples.rows["text"].map(normalize))[0])
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
    listed = pd.concat(frames, ignore_index=True)
    if "line" not in listed:
        listed = listed.assign(file=examples.name, line=listed["row"] + 1)
    return listed[list(COLUMNS)]


def _reason(text: str, label: str, examples: Examples) -> str:
    """Why a row was dropped, in the words of the doctor."""
    if not label.strip():
        return "no label"
    if is_blank(text):
        return "empty text"
    return "class is too small" if label in examples.small_classes else "exact duplicate"
