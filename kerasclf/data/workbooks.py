"""Excel workbooks as frames of strings."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pandas as pd

from kerasclf.console import say_once
from kerasclf.data.header import check_names
from kerasclf.errors import UserError

OLD_OFFICE = b"\xd0\xcf\x11\xe0"
"""First bytes of an .xls, and of a workbook with a password."""


def read_workbook(
    path: Path, sheet: str | None, chunk_rows: int | None, has_names: bool
) -> Iterator[pd.DataFrame]:
    """Reads a sheet of an .xlsx in frames of strings; cells are what formulas computed last.

    The index of the frames is the number of the row in the sheet.

    Args:
        path: of the workbook.
        sheet: name of the sheet, or its number from 1; None for the first.
        chunk_rows: rows of a frame at most; None for one frame.
        has_names: whether its first row names the columns; else they are called "1", "2" and so on.

    Raises:
        UserError: it is no workbook, or has no such sheet, or columns of the same name.
    """
    with path.open("rb") as file:
        if file.read(len(OLD_OFFICE)) == OLD_OFFICE:
            raise UserError(
                f"{path} is an old .xls or has a password; save it as .xlsx without a password"
            )
    try:
        yield from _read(path, sheet, chunk_rows, has_names)
    except UserError:
        raise
    except Exception as error:
        # openpyxl raises many kinds of errors of damaged files.
        raise UserError(
            f"{path} is not an Excel workbook (.xlsx), or is damaged: {error}"
        ) from error


def _read(
    path: Path, sheet: str | None, chunk_rows: int | None, has_names: bool
) -> Iterator[pd.DataFrame]:
    from openpyxl import load_workbook

    workbook = load_workbook(path, read_only=True, data_only=True)
    try:
        chosen = workbook[_find_sheet(path, workbook.sheetnames, sheet)]
        # Some programs write wrong dimensions, which would hide cells.
        chosen.reset_dimensions()
        rows = enumerate(chosen.iter_rows(values_only=True), start=1)
        filled: Iterator[tuple[int, tuple[Any, ...]]] = (
            (number, row) for number, row in rows if any(cell is not None for cell in row)
        )
        line, first = next(filled, (0, ()))
        if not first:
            return
        width = max((n for n, cell in enumerate(first, start=1) if cell is not None), default=0)
        names = [str(number) for number in range(1, width + 1)]
        if has_names:
            names = [_to_text(cell) or name for cell, name in zip(first, names, strict=False)]
            check_names(tuple(names), str(path))
        else:
            filled = chain([(line, first)], filled)
        while chunk := list(islice(filled, chunk_rows)):
            cells = [[_to_text(cell) for cell in _fit(row, width)] for _, row in chunk]
            lines = [number for number, _ in chunk]
            yield pd.DataFrame(cells, index=lines, columns=names, dtype=object)
    finally:
        workbook.close()


def _find_sheet(path: Path, names: list[str], sheet: str | None) -> str:
    listed = ", ".join(map(repr, names))
    if sheet is None:
        if len(names) > 1:
            say_once(f"{path} is read from its sheet {names[0]!r}; --sheet takes {listed}")
        return names[0]
    if sheet in names:
        return sheet
    if sheet.isdecimal() and 1 <= int(sheet) <= len(names):
        return names[int(sheet) - 1]
    raise UserError(f"{path} has no sheet {sheet!r}; expected one of {listed}, or its number")


def _fit(row: tuple[Any, ...], width: int) -> list[Any]:
    """A row with as many cells as there are columns."""
    return [*row[:width], *[None] * (width - len(row))]


def _to_text(cell: Any) -> str:
    """A cell as Excel shows it: whole numbers without a point, nothing for an empty cell."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
