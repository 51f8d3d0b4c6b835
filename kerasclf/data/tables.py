"""Tables read whole or in chunks: CSV, TSV, JSONL and Parquet."""

import contextlib
import csv
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from kerasclf.errors import UserError

SEPARATORS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
FORMATS = (*SEPARATORS, *JSON_LINES, ".parquet")
_CONTROL_BYTES = bytes(set(range(32)) - {9, 10, 12, 13, 27})


def read_table(path: Path, encoding: str = "utf-8") -> pd.DataFrame:
    """Reads a whole table.

    Returns:
        The columns of the file. In CSV and TSV every value is a string, and an empty cell is an
        empty string, so that a text "NA" or a label "null" is kept as it is.

    Raises:
        UserError: the file is missing, empty or binary, or has another format or encoding.
    """
    frames = list(read_chunks(path, encoding, chunk_rows=None))
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def read_chunks(path: Path, encoding: str, chunk_rows: int | None) -> Iterator[pd.DataFrame]:
    """Reads a table in chunks of at most `chunk_rows` rows, or in one chunk if that is None.

    Raises:
        UserError: as in `read_table`, at the chunk that cannot be read.
    """
    check_table(path, encoding)
    suffix = path.suffix.lower()
    frames: Iterator[pd.DataFrame]
    try:
        if suffix in SEPARATORS:
            frames = pd.read_csv(
                path,
                sep=SEPARATORS[suffix],
                encoding=_accept_bom(encoding),
                dtype=str,
                keep_default_na=False,
                chunksize=chunk_rows or 2**62,
            )
        elif suffix in JSON_LINES:
            frames = _read_json_lines(path, encoding, chunk_rows)
        else:
            frames = _read_parquet(path, chunk_rows)
        yield from _check_frames(frames, path)
    except UnicodeError as error:
        raise UserError(
            f"{path} is not valid {encoding}: {_find_undecodable(path, encoding)}; give the "
            "encoding of the file, such as --encoding latin-1"
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise UserError(f"{path} is not a {suffix[1:].upper()} table: {error}") from error


def _check_frames(frames: Iterator[pd.DataFrame], path: Path) -> Iterator[pd.DataFrame]:
    """Yields the frames; checks that there are rows, and none with more values than the header."""
    empty = True
    with contextlib.ExitStack() as stack:
        if hasattr(frames, "close"):
            stack.callback(frames.close)
        for frame in frames:
            if not isinstance(frame.index, pd.RangeIndex):
                # pandas uses the surplus values of the first row as the index.
                raise UserError(
                    f"{path}: rows have more values than the header; expected one value per column"
                )
            empty = empty and frame.empty
            yield frame
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
    if path.suffix.lower() == ".parquet":
        if not head.startswith(b"PAR1"):
            raise UserError(f"{path} is not a Parquet file: it does not start with PAR1")
    elif not encoding.lower().startswith(("utf-16", "utf16", "utf-32", "utf32")):
        # Text has hardly any control characters, but a stray NUL does not make a file binary.
        controls = len(head) - len(head.translate(None, _CONTROL_BYTES))
        if controls > max(8, 0.02 * len(head)):
            raise UserError(f"{path} is a binary file; expected {path.suffix[1:].upper()} text")


def _accept_bom(encoding: str) -> str:
    """Lets UTF-8 start with a byte order mark, which spreadsheets write."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding


def _find_undecodable(path: Path, encoding: str) -> str:
    """Where the first byte is that cannot be decoded."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                return f"line {number} has the byte 0x{line[error.start]:02x}"
    return "a character spans two lines"


def _read_json_lines(path: Path, encoding: str, chunk_rows: int | None) -> Iterator[pd.DataFrame]:
    columns = None
    if chunk_rows:
        # All chunks get the same columns, also those without a key that another chunk has.
        keys: dict[str, None] = {}
        for row in _parse_json_lines(path, encoding):
            keys |= dict.fromkeys(row)
        columns = list(keys)
    rows = _parse_json_lines(path, encoding)
    while chunk := list(itertools.islice(rows, chunk_rows)):
        yield _make_frame(chunk, columns)


def _make_frame(rows: list[dict], columns: list[str] | None) -> pd.DataFrame:
    """A frame of Python objects, which keeps large integers exact; strings are valid UTF-8."""
    valid = [{k: cell_to_text(v) if isinstance(v, str) else v for k, v in r.items()} for r in rows]
    return pd.DataFrame(valid, columns=columns, dtype=object)


def _parse_json_lines(path: Path, encoding: str) -> Iterator[dict]:
    with path.open(encoding=_accept_bom(encoding)) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise UserError(f"{path} line {number} is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise UserError(
                    f"{path} line {number} is not a JSON object; expected a line such as "
                    '{"text": "hi"}'
                )
            yield row


def _read_parquet(path: Path, chunk_rows: int | None) -> Iterator[pd.DataFrame]:
    import pyarrow
    import pyarrow.parquet

    try:
        if chunk_rows is None:
            yield pd.read_parquet(path)
            return
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(chunk_rows):
                yield batch.to_pandas()
    except pyarrow.ArrowException as error:
        raise UserError(f"{path} is not a complete Parquet file: {error}") from error


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
        names = ", ".join(map(str, frame.columns[:20]))
        raise UserError(f"{path} has no column {column!r}, only {names}; name it with {option}")
    return frame[column]


def as_text(values: pd.Series) -> pd.Series:
    """Converts a column of any type to strings; missing values become empty.

    Returns:
        Series of `str` (dtype object), valid UTF-8: a lone surrogate becomes "?".
    """
    return pd.Series(
        [cell_to_text(value) or "" for value in values.tolist()], index=values.index, dtype=object
    )


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
