"""Cells of tables as strings."""

import json
from typing import Any

import pandas as pd


def as_text(values: pd.Series) -> pd.Series:
    """Converts a column of any type to strings; missing values become empty.

    Returns:
        Series of `str` (dtype object), valid UTF-8: a lone surrogate becomes "?".
    """
    return pd.Series(
        [cell_to_text(value) or "" for value in values.tolist()], index=values.index, dtype=object
    )


def is_blank(text: str) -> bool:
    r"""Whether a text has nothing but spaces, NUL and byte order marks.

    >>> is_blank(" \0"), is_blank("a ")
    (True, False)
    """
    return not text.replace("\0", "").replace("\ufeff", "").strip()


def cell_to_text(value: Any) -> str | None:
    """A cell as a string that is valid UTF-8; None for a missing value.

    >>> cell_to_text(3.0), cell_to_text(None), cell_to_text(["x", 1])
    ('3', None, '["x", 1]')
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not pd.api.types.is_scalar(value):
        return json.dumps(value, ensure_ascii=True, default=str)
    if pd.isna(value):
        return None
    # pandas turns a column of integers into floats if a value is missing.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
