"""Tables of a review: texts without labels in, lists out."""

from pathlib import Path

import pandas as pd

from kerasclf.data.cells import as_text, is_blank
from kerasclf.data.reading import Reading
from kerasclf.data.safe_csv import write_safe_csv
from kerasclf.data.tables import pick_column, read_table
from kerasclf.errors import UserError
from kerasclf.files import check_writable, replacing


def read_texts(path: Path, column: str, reading: Reading) -> list[str]:
    """The distinct texts of a table, without blank ones, in its order.

    Raises:
        UserError: the table cannot be read, or has no such column or no text.
    """
    texts = as_text(pick_column(read_table(path, reading), column, path, "--text-column"))
    kept = list(dict.fromkeys(text for text in texts if not is_blank(text)))
    if not kept:
        raise UserError(f"{path} has no text in its column {column!r}")
    return kept


def check_list(path: Path, suffixes: tuple[str, ...] = (".csv", ".jsonl")) -> None:
    """Checks that a list can be written to a file.

    Raises:
        UserError: it has another suffix than these, or its folder cannot be written.
    """
    if path.suffix.lower() not in suffixes:
        expected = " or ".join(f"FILE{suffix}" for suffix in suffixes)
        raise UserError(f"--output is {path}; expected {expected}")
    check_writable(path)


def write_list(path: Path, frame: pd.DataFrame) -> None:
    """Writes a list as CSV that is safe in a spreadsheet, or as lines of JSON."""
    if path.suffix.lower() == ".csv":
        write_safe_csv(path, frame)
        return
    with replacing(path) as beside:
        frame.to_json(beside, orient="records", lines=True, force_ascii=False)
