"""Tables read whole or in chunks: CSV, TSV, JSON, Parquet, Feather and ORC."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from kerasclf.console import say
from kerasclf.data.columnar import COLUMNAR, read_columnar
from kerasclf.data.header import SEPARATORS, WIDE_MARKS, check_names, missing_column
from kerasclf.data.text_tables import read_delimited, read_json_array, read_json_lines
from kerasclf.errors import UserError

JSON_LINES = (".jsonl", ".ndjson")
JSON_ARRAY = ".json"
FORMATS = (*SEPARATORS, *JSON_LINES, JSON_ARRAY, *COLUMNAR)
_CONTROL_BYTES = bytes(set(range(32)) - {9, 10, 12, 13, 27})
_MAGIC = {".parquet": b"PAR1", ".orc": b"ORC"}


def read_table(path: Path, encoding: str = "utf-8", has_names: bool = True) -> pd.DataFrame:
    """Reads a whole table.

    Args:
        path: of the table.
        encoding: of CSV, TSV and JSON.
        has_names: whether the first row of CSV and TSV names the columns; else they are called
            "1", "2" and so on.

    Returns:
        The columns of the file. In CSV and TSV every value is a string, and an empty cell is an
        empty string, so that a text "NA" or a label "null" is kept as it is.

    Raises:
        UserError: the file is missing, empty or binary, has another format or encoding, or a row
            that is not valid.
    """
    frames = list(read_chunks(path, encoding, None, has_names))
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def read_chunks(
    path: Path, encoding: str, chunk_rows: int | None, has_names: bool = True
) -> Iterator[pd.DataFrame]:
    """Reads a table in chunks of at most `chunk_rows` rows, or in one chunk if that is None.

    Raises:
        UserError: as in `read_table`, at the chunk that cannot be read.
    """
    check_table(path, encoding)
    suffix = path.suffix.lower()
    found = find_encoding(path, encoding)
    if found != encoding:
        say(f"{path} is read as {found.upper()}: it begins with its byte order mark")
    encoding = found
    if suffix in SEPARATORS:
        frames = read_delimited(path, encoding, chunk_rows, has_names)
    elif suffix in JSON_LINES:
        frames = read_json_lines(path, encoding, chunk_rows)
    elif suffix == JSON_ARRAY:
        frames = read_json_array(path, encoding)
    else:
        frames = read_columnar(path, chunk_rows)
    empty = True
    try:
        for frame in frames:
            if empty:
                check_names(tuple(map(str, frame.columns)), str(path))
            empty = False
            yield frame
    except UnicodeError as error:
        raise UserError(
            f"{path} is not valid {encoding}: {_find_undecodable(path, encoding)}; give the "
            "encoding of the file, such as --encoding latin-1"
        ) from error
    if empty:
        raise UserError(f"{path} has no rows; expected a header and at least one row")


def check_table(path: Path, encoding: str) -> None:
    """Checks a table without reading all of it.

    Raises:
        UserError: the file is missing, empty or binary, or its format or encoding is unknown.
    """
    if not path.exists():
        raise UserError(f"there is no file {path}; expected a table ({', '.join(FORMATS)})")
    if not path.is_file():
        raise UserError(f"{path} is not a file; expected a table ({', '.join(FORMATS)})")
    if path.suffix.lower() not in FORMATS:
        raise UserError(
            f"{path} ends in {path.suffix or 'nothing'!r}; expected one of {', '.join(FORMATS)}"
        )
    try:
        "".encode(encoding)
    except LookupError as error:
        raise UserError(f"unknown encoding {encoding!r}; expected a name such as utf-8") from error
    try:
        with path.open("rb") as file:
            head = file.read(65536)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    if not head:
        raise UserError(f"{path} is empty; expected a header and at least one row")
    suffix = path.suffix.lower()
    if suffix in COLUMNAR:
        magic = _MAGIC.get(suffix, b"")
        if not head.startswith(magic):
            name = COLUMNAR[suffix]
            raise UserError(f"{path} is not a {name} file: it does not start with {magic.decode()}")
    elif not _is_wide(head, encoding):
        # Text has hardly any control characters, but a stray NUL does not make a file binary.
        controls = len(head) - len(head.translate(None, _CONTROL_BYTES))
        if controls > max(8, 0.02 * len(head)):
            raise UserError(f"{path} is a binary file; expected {path.suffix[1:].upper()} text")


def _is_wide(head: bytes, encoding: str) -> bool:
    """Whether the characters of a text file have two or four bytes, so that many are 0."""
    name = encoding.lower().replace("_", "-")
    return name.startswith(("utf-16", "utf16", "utf-32", "utf32")) or head.startswith(
        tuple(WIDE_MARKS)
    )


def find_encoding(path: Path, encoding: str) -> str:
    """The encoding that the byte order mark of a text file stands for, or the given one."""
    if path.suffix.lower() in COLUMNAR or encoding.lower().replace("_", "-") not in (
        "utf-8",
        "utf8",
    ):
        return encoding
    with path.open("rb") as file:
        head = file.read(4)
    for mark, found in WIDE_MARKS.items():
        if head.startswith(mark):
            return found
    return encoding


def _find_undecodable(path: Path, encoding: str) -> str:
    """Where the first byte is that cannot be decoded."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                return f"line {number} has the byte 0x{line[error.start]:02x}"
    return "a character spans two lines"


def pick_column(frame: pd.DataFrame, column: str, path: Path, option: str) -> pd.Series:
    """One column of a table.

    Args:
        frame: the table.
        column: its name.
        path: of the table, for messages.
        option: command-line option that names the column, for messages.

    Raises:
        UserError: there is no such column; the message lists the existing ones.
    """
    if column not in frame.columns:
        is_text = path.suffix.lower() in SEPARATORS
        rows = frame.head(100).to_numpy().tolist() if is_text else ()
        raise missing_column(list(map(str, frame.columns)), column, str(path), option, rows)
    return frame[column]
