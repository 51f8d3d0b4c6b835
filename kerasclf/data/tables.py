"""Tables read whole or in chunks: CSV, TSV, JSON, Excel, Parquet, Feather and ORC."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from kerasclf.console import say_once
from kerasclf.data.columnar import read_columnar
from kerasclf.data.header import SEPARATORS, WIDE_MARKS, check_names, missing_column
from kerasclf.data.reading import (
    COLUMNAR,
    GZIP,
    WORKBOOK,
    Reading,
    find_encoding,
    open_binary,
    table_suffix,
)
from kerasclf.data.text_tables import read_delimited, read_json_array, read_json_lines
from kerasclf.data.workbooks import read_workbook
from kerasclf.errors import UserError

JSON_LINES = (".jsonl", ".ndjson")
JSON_ARRAY = ".json"
FORMATS = (*SEPARATORS, *JSON_LINES, JSON_ARRAY, WORKBOOK, *COLUMNAR)
"""Suffixes of tables; text files may end in .gz after it."""
_CONTROL_BYTES = bytes(set(range(32)) - {9, 10, 12, 13, 27})
_MAGIC = {".parquet": b"PAR1", ".orc": b"ORC"}


def read_table(path: Path, reading: Reading | None = None) -> pd.DataFrame:
    """Reads a whole table.

    Args:
        path: of the table.
        reading: how it is read; None for the defaults.

    Returns:
        The columns of the file. In CSV, TSV and Excel every value is a string, and an empty cell is
        an empty string, so that a text "NA" or a label "null" is kept as it is. The index says
        where a row is: the number of its first line in CSV, TSV and JSON lines, of its row in a
        sheet, and its own number, from 1, in other formats.

    Raises:
        UserError: the file is missing, empty or binary, has another format or encoding, or a row
            that is not valid.
    """
    frames = list(read_chunks(path, reading or Reading(), None))
    return pd.concat(frames) if len(frames) > 1 else frames[0]


def read_chunks(path: Path, reading: Reading, chunk_rows: int | None) -> Iterator[pd.DataFrame]:
    """Reads a table in chunks of at most `chunk_rows` rows, or in one chunk if that is None.

    Raises:
        UserError: as in `read_table`, at the chunk that cannot be read.
    """
    check_table(path, reading)
    encoding, empty = reading.encoding, True
    try:
        encoding, reason = find_encoding(path, encoding)
        if reason:
            say_once(
                f"{path} is read as {encoding}, since {reason}; --encoding NAME reads it otherwise"
            )
        for frame in _read_frames(path, encoding, reading, chunk_rows):
            if empty:
                check_names(tuple(map(str, frame.columns)), str(path))
            empty = False
            yield frame
    except UnicodeError as error:
        raise UserError(
            f"{path} is not valid {encoding}: {_find_undecodable(path, encoding)}; give the "
            "encoding of the file, such as --encoding latin-1"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"cannot read {path}: {error}; compress it again") from error
    if empty:
        raise UserError(f"{path} has no rows; expected a header and at least one row")


def _read_frames(
    path: Path, encoding: str, reading: Reading, chunk_rows: int | None
) -> Iterator[pd.DataFrame]:
    suffix = table_suffix(path)
    if suffix in SEPARATORS:
        return read_delimited(path, encoding, chunk_rows, reading)
    if suffix == WORKBOOK:
        return read_workbook(path, reading.sheet, chunk_rows, reading.has_names)
    if suffix in JSON_LINES:
        return read_json_lines(path, encoding, chunk_rows)
    if suffix == JSON_ARRAY:
        return read_json_array(path, encoding)
    return read_columnar(path, chunk_rows)


def check_table(path: Path, reading: Reading | None = None) -> None:
    """Checks a table without reading all of it.

    Raises:
        UserError: the file is missing, empty or binary, or its format or encoding is unknown.
    """
    if not path.exists():
        raise UserError(f"there is no file {path}; expected a table ({', '.join(FORMATS)})")
    if not path.is_file():
        raise UserError(f"{path} is not a file; expected a table ({', '.join(FORMATS)})")
    reading, suffix = reading or Reading(), table_suffix(path)
    is_text = suffix not in (*COLUMNAR, WORKBOOK)
    if suffix not in FORMATS or (path.suffix.lower() == GZIP and not is_text):
        raise UserError(
            f"{path} ends in {path.suffix or 'nothing'!r}; expected one of {', '.join(FORMATS)}, "
            "or CSV, TSV or JSON followed by .gz"
        )
    _check_options(path, suffix, reading)
    encoding = reading.encoding
    try:
        "a".encode(encoding)
    except (LookupError, UnicodeError) as error:
        raise UserError(f"unknown encoding {encoding!r}; expected a name such as utf-8") from error
    try:
        with open_binary(path) as file:
            head = file.read(65536)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot read {path}: {reason}") from error
    if not head:
        raise UserError(f"{path} is empty; expected a header and at least one row")
    if not is_text:
        magic = _MAGIC.get(suffix, b"")
        if not head.startswith(magic):
            name = COLUMNAR[suffix]
            raise UserError(f"{path} is not a {name} file: it does not start with {magic.decode()}")
    elif not _is_wide(head, encoding):
        # Text has hardly any control characters, but a stray NUL does not make a file binary.
        controls = len(head) - len(head.translate(None, _CONTROL_BYTES))
        if controls > max(8, 0.02 * len(head)):
            raise UserError(f"{path} is a binary file; expected {suffix[1:].upper()} text")


def _check_options(path: Path, suffix: str, reading: Reading) -> None:
    """Checks that options of reading fit the format of a table.

    Raises:
        UserError: they do not.
    """
    if reading.sheet is not None and suffix != WORKBOOK:
        raise UserError(f"--sheet is for Excel workbooks ({WORKBOOK}), found {path}; leave it out")
    if reading.delimiter is not None:
        if suffix != ".csv":
            raise UserError(f"--delimiter is for CSV files, found {path}; leave it out")
        separator = reading.separator
        if separator is None or len(separator) != 1 or separator in '\r\n"':
            raise UserError(
                f"--delimiter is {reading.delimiter!r}; expected one character, such as ';', or tab"
            )


def _is_wide(head: bytes, encoding: str) -> bool:
    """Whether the characters of a text file have two or four bytes, so that many are 0."""
    name = encoding.lower().replace("_", "-")
    return name.startswith(("utf-16", "utf16", "utf-32", "utf32")) or head.startswith(
        tuple(WIDE_MARKS)
    )


def _find_undecodable(path: Path, encoding: str) -> str:
    """Where the first byte is that cannot be decoded."""
    with open_binary(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                return f"line {number} has the byte 0x{line[error.start]:02x}"
    return "a character spans two lines"


def pick_column(frame: pd.DataFrame, column: str, path: Path, option: str) -> pd.Series:
    """One column of a table, and a line if its name is not quite the given one.

    Args:
        frame: the table.
        column: its name; case and spaces around it do not matter if it is then clear.
        path: of the table, for messages.
        option: command-line option that names the column, for messages.

    Raises:
        UserError: there is no such column; the message lists the existing ones.
    """
    name = find_column(frame, column, path, option)
    if name != column:
        say_once(f"{path}: column {name!r} is read as {option} {column}")
    return frame[name]


def find_column(frame: pd.DataFrame, column: str, path: Path, option: str) -> str:
    """The name of a column as it is in the table; arguments and errors are those above."""
    if column in frame.columns:
        return column
    wanted = column.strip().casefold()
    alike = [name for name in frame.columns if str(name).strip().casefold() == wanted]
    if len(alike) == 1:
        return alike[0]
    has_rows = table_suffix(path) in (*SEPARATORS, WORKBOOK)
    rows = frame.head(100).to_numpy().tolist() if has_rows else ()
    raise missing_column(list(map(str, frame.columns)), column, str(path), option, rows)
