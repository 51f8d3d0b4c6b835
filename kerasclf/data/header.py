"""The header of a CSV or TSV file: separator, names of the columns, and where the rows begin."""

import csv
import difflib
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from kerasclf.data.records import read_csv_records
from kerasclf.errors import UserError

MARK = b"\xef\xbb\xbf"
WIDE_MARKS = {b"\xff\xfe\x00\x00": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Byte order marks and the encodings that they stand for."""
SEPARATORS = {".csv": ",", ".tsv": "\t"}
POSSIBLE_SEPARATORS = (",", ";", "\t", "|")
"""Of a .csv; the first of several that fit equally well."""
LOOKED_AT = 50
"""Rows by which separators are compared."""
_DECLARED = re.compile(rb"sep=([^\r\n])\r?\n")


@dataclass(frozen=True)
class Header:
    """What is known of a file before its rows are read.

    Attributes:
        names: names of the columns; one without a name is called by its number, from 1.
        separator: of cells.
        offset: position of the first row's first byte.
        lines: number of lines before the first row.
        unnamed: positions of the columns without a name.
    """

    names: tuple[str, ...]
    separator: str
    offset: int
    lines: int
    unnamed: tuple[int, ...] = ()


def read_header(
    file: IO[bytes],
    source: str,
    suffix: str,
    has_names: bool = True,
    delimiter: str | None = None,
) -> Header:
    """Reads the header of a file in UTF-8, and leaves the file at its first row.

    A .csv may say its separator in a first line `sep=;`, as spreadsheets write it. Otherwise it is
    the one of comma, semicolon, tab and vertical bar that cuts the header and most of the first
    rows into the same number of cells.

    Args:
        file: the file, at its first byte.
        source: its path, for messages.
        suffix: .csv or .tsv.
        has_names: whether the first row names the columns; else their names are their numbers.
        delimiter: separator of a .csv; None to find it.

    Raises:
        UserError: there is no header, it is not UTF-8, or two columns have the same name.
    """
    offset = len(MARK) if file.read(len(MARK)) == MARK else 0
    file.seek(offset)
    separator, lines = SEPARATORS[suffix], 0
    first = file.readline(65536)
    for mark, encoding in WIDE_MARKS.items():
        if first.startswith(mark):
            raise UserError(f"{source} is {encoding.upper()}; expected UTF-8: save it as UTF-8")
    if suffix == ".csv" and (declared := _DECLARED.fullmatch(first)):
        separator = declared[1].decode("latin-1")
        offset, lines = offset + len(first), 1
    elif suffix == ".csv":
        file.seek(offset)
        separator = delimiter or _find_separator(file, first.decode("utf-8", "replace"))
    file.seek(offset)
    record = next(read_csv_records(file, separator), None)
    if record is None:
        raise UserError(f"{source} is empty; expected a header and at least one row")
    try:
        record.raw.decode()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{source} is not valid utf-8: line {record.line + lines} has the byte "
            f"0x{record.raw[error.start]:02x}; save it as UTF-8, or give its encoding where there "
            "is --encoding"
        ) from error
    if record.fault:
        raise UserError(f"header of {source}: {record.fault} ({record.detail})")
    cells = record.cells or []
    if not has_names:
        file.seek(offset)
        numbers = tuple(str(number) for number in range(1, len(cells) + 1))
        return Header(numbers, separator, offset, lines)
    unnamed = tuple(position for position, name in enumerate(cells) if not name.strip())
    names = tuple(name if name.strip() else str(n) for n, name in enumerate(cells, start=1))
    check_names(names, source)
    # The lines before the row: blank ones, and those of the header.
    end = record.offset + len(record.raw)
    file.seek(end)
    file.readline()
    lines += record.line + record.raw.count(b"\n")
    return Header(names, separator, file.tell(), lines, unnamed)


def _find_separator(file: IO[bytes], line: str) -> str:
    """The separator of a .csv.

    Args:
        file: the file, at its header.
        line: the header's first line.
    """
    widths = {
        separator: len(next(csv.reader([line], delimiter=separator), []))
        for separator in POSSIBLE_SEPARATORS
    }
    fitting = [separator for separator, width in widths.items() if width > 1]
    if len(fitting) < 2:
        return fitting[0] if fitting else ","
    start = file.tell()

    def count_rows(separator: str) -> int:
        file.seek(start)
        rows = itertools.islice(read_csv_records(file, separator), LOOKED_AT)
        return sum(len(row.cells or []) == widths[separator] for row in rows)

    return max(fitting, key=count_rows)


def check_names(names: tuple[str, ...], source: str) -> None:
    """Checks that the columns of a table have different names.

    Raises:
        UserError: two have the same.
    """
    for position, name in enumerate(names):
        if name in names[:position]:
            first = names.index(name) + 1
            raise UserError(
                f"{source}: columns {first} and {position + 1} are both named {name!r}; rename one "
                "there"
            )


def missing_column(
    names: Sequence[str], column: str, source: str, option: str, rows: Sequence[Sequence[str]]
) -> UserError:
    """The error of a table that lacks a column; it says so if the header looks like a row.

    Args:
        names: names of the columns.
        column: the missing one.
        source: path of the table.
        option: command-line option that names the column.
        rows: the first rows of a CSV or TSV file; else ().
    """
    if looks_like_data(names, rows):
        return UserError(
            f"{source} has no column {column!r}, and its first line looks like data "
            f"({', '.join(names)[:80]}): give --no-header, and the number of the column with "
            f"{option}, such as {option} 1"
        )
    near = difflib.get_close_matches(column.casefold(), [name.casefold() for name in names], 1)
    meant = next((name for name in names if near and name.casefold() == near[0]), None)
    hint = f"did you mean {option} {meant!r}?" if meant else f"name it with {option}"
    return UserError(f"{source} has no column {column!r}, only {', '.join(names[:20])}; {hint}")


def looks_like_data(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether what was read as the names of columns is a row itself.

    It is if a name has four words or more, or is a value of its own column, too.

    Args:
        names: names of the columns.
        rows: the first rows.
    """
    repeated = any(
        name == row[position]
        for row in rows
        for position, name in enumerate(names)
        if name and position < len(row)
    )
    return bool(rows) and (repeated or any(len(name.split()) > 3 for name in names))
