"""CSV files for people: a spreadsheet shows each cell as text and runs none."""

import csv
from pathlib import Path

import pandas as pd

from kerasclf.files import replacing

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters by which a spreadsheet takes a cell for a formula."""


def to_safe(cell: str) -> str:
    """A cell with an apostrophe before what a spreadsheet would run.

    >>> to_safe("=1+1"), to_safe("a=1")
    ("'=1+1", 'a=1')
    """
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def from_safe(cell: str) -> str:
    """A cell as it was before `to_safe`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def write_safe_csv(path: Path, frame: pd.DataFrame) -> None:
    """Writes a frame as CSV in UTF-8 with a byte order mark, by which Excel knows the encoding."""
    safe = frame.copy()
    for name in frame.select_dtypes(exclude="number"):
        safe[name] = frame[name].astype(str).map(to_safe)
    with replacing(path) as beside:
        safe.to_csv(beside, index=False, quoting=csv.QUOTE_NONNUMERIC, encoding="utf-8-sig")
