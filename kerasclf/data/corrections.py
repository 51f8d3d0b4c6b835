"""Corrections of labels by people: read, checked against the rows, and applied to them."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd

from kerasclf.data.annotations import read_annotations
from kerasclf.data.examples import Examples
from kerasclf.data.safe_csv import from_safe
from kerasclf.data.splits import hash_text
from kerasclf.data.tables import read_table
from kerasclf.errors import UserError

NEEDED = ("row", "text_hash", "old", "new")
"""Columns of a file of corrections; `row` and `text_hash` are those of split.parquet of a run."""


class Corrected(TypedDict):
    """What was done with a file of corrections.

    Attributes:
        file: its name.
        sha256: of its content.
        applied: number of corrected labels by split.
        left: number of corrections of test rows that were left as they are.
    """

    file: str
    sha256: str
    applied: dict[str, int]
    left: int


def correct_labels(
    examples: Examples, split: pd.DataFrame, path: Path, correct_test: bool = False
) -> tuple[Examples, Corrected]:
    """Applies a file of corrections to rows that have been split.

    The rows keep their split, which was made with the labels as they were: the test rows are the
    same with and without corrections.

    Args:
        examples: the cleaned rows.
        split: frame of `split_examples`.
        path: CSV or another table with the columns `NEEDED`, or JSON of `read_annotations`.
        correct_test: whether labels of test rows are corrected, too.

    Returns:
        The rows with the new labels, and what was done.

    Raises:
        UserError: the file cannot be read, or a correction is not of these rows: its row does not
            exist, has another text or another label, or gets a label that no row has.
    """
    annotations = read_annotations(path) if path.suffix.lower() == ".json" else None
    table = read_table(path) if annotations is None else annotations
    absent = [name for name in NEEDED if name not in table.columns]
    if absent:
        raise UserError(
            f"{path} has no column {absent[0]!r}; expected corrections with the columns "
            f"{', '.join(NEEDED)}, as kerasclf review exports them"
        )
    rows = examples.rows
    place = pd.Series(np.arange(len(rows)), index=rows["row"])
    labels, splits = rows["label"].to_numpy(dtype=object).copy(), split["split"].to_numpy()
    applied: dict[str, int] = {}
    left = 0
    seen: set[int] = set()
    for number, (row, text_hash, old, new) in enumerate(
        table[list(NEEDED)].astype(str).itertuples(index=False), start=1
    ):
        old, new = from_safe(old), from_safe(new)
        where = f"{path}: correction {number}"
        position = place.get(int(row)) if row.isdecimal() else None
        if position is None:
            raise UserError(f"{where} is of row {row}, which {examples.name} does not have")
        if hash_text(rows["text"].iloc[position]) != text_hash:
            raise UserError(
                f"{where} is of another text than row {row} of {examples.name} has now; review the "
                "table again"
            )
        if rows["label"].iloc[position] != old:
            raise UserError(
                f"{where} says that row {row} has the label {old!r}; {examples.name} has "
                f"{rows['label'].iloc[position]!r}"
            )
        if new not in examples.labels:
            raise UserError(
                f"{where} has the new label {new!r}; expected one of "
                f"{', '.join(examples.labels[:10])}"
            )
        if position in seen:
            raise UserError(f"{where} is the second one of row {row}; keep one of them")
        seen.add(position)
        name = splits[position]
        if name == "test" and not correct_test:
            left += new != old
            continue
        if new != old:
            labels[position] = new
            applied[name or "no split"] = applied.get(name or "no split", 0) + 1
    corrected = replace(examples, rows=rows.assign(label=pd.Series(labels, index=rows.index)))
    _check_classes(corrected, splits, path)
    described = Corrected(
        file=path.name, sha256=sha256(path.read_bytes()).hexdigest(), applied=applied, left=left
    )
    return corrected, described


def describe_corrections(corrected: Corrected) -> str:
    """What was done with corrections, as a sentence for reports."""
    counts = [f"{count} of {name} rows" for name, count in corrected["applied"].items()]
    left = f"; {corrected['left']} of test rows were left as they are" if corrected["left"] else ""
    return f"labels corrected by {corrected['file']}: {', '.join(counts) or 'none'}{left}"


def _check_classes(examples: Examples, splits: np.ndarray, path: Path) -> None:
    """Checks that each class still has a training row."""
    trained = set(examples.rows["label"][splits == "train"])
    absent = [label for label in examples.labels if label not in trained]
    if absent:
        raise UserError(f"{path} leaves no training row of the class {absent[0]!r}")
