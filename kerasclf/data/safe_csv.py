"""CSV files for people: a spreadsheet shows each cell as text and runs none."""

import csv
import re
from pathlib import Path

import pandas as pd

from kerasclf.files import replacing

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters by which a spreadsheet takes a cell for a formula."""
NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")


def to_safe(cell: str) -> str:
    """A cell with an apostrophe before what a spreadsheet would run.

    >>> to_safe("=1+1"), to_safe("a=1"), to_safe("-1.5")
    ("'=1+1", 'a=1', '-1.5')
    """
    return f"'{cell}" if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell) else cell


def from_safe(cell: str) -> str:
    """A cell as it was before `to_safe`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def make_safe(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame in whose names and strings no spreadsheet finds a formula."""
    safe = frame.copy()
    for name in frame.select_dtypes(exclude="number"):
        safe[name] = [to_safe(x) if isinstance(x, str) else x for x in frame[name].tolist()]
    return safe.rename(columns=lambda name: to_safe(str(name)))


def write_safe_csv(path: Path, frame: pd.DataFrame) -> None:
    """Writes a frame as CSV in UTF-8 with a byte order mark, by which Excel knows the encoding."""
    safe = make_safe(frame)
    with replacing(path) as beside:
        safe.to_csv(beside, index=False, quoting=csv.QUOTE_NONNUMERIC, encoding="utf-8-sig")
