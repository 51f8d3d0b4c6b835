"""Tables on disk: CSV, TSV, JSONL and Parquet, read whole or in chunks, and written in chunks."""

import csv
import itertools
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pandas as pd

from kerasclf.errors import UserError

SEPARATORS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
FORMATS = (*SEPARATORS, *JSON_LINES, ".parquet")
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27})


def read_table(path: Path, encoding: str = "utf-8") -> pd.DataFrame:
    """Reads a whole table.

    Returns:
        A frame of the file's columns. In CSV and TSV every value is a string and an empty cell is
        an empty string, so that a text "NA" or a label "null" stays what it is.

    Raises:
        UserError: the file is missing, empty, binary, of another format or in another encoding.
    """
    frames = list(read_chunks(path, encoding, chunk_rows=None))
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def read_chunks(path: Path, encoding: str, chunk_rows: int | None) -> Iterator[pd.DataFrame]:
    """Reads a table in chunks of at most `chunk_rows` rows, or in one where that is None.

    Raises:
        UserError: as `read_table`, as soon as the fault is met.
    """
    check_table(path, encoding)
    suffix = path.suffix.lower()
    try:
        if suffix in SEPARATORS:
            frames = pd.read_csv(
                path,
                sep=SEPARATORS[suffix],
                encoding=_with_mark(encoding),
                dtype=str,
                keep_default_na=False,
                chunksize=chunk_rows or 2**62,
            )
        elif suffix in JSON_LINES:
            frames = _read_json_lines(path, encoding, chunk_rows)
        else:
            frames = _read_parquet(path, chunk_rows)
        yield from _checked(frames, path)
    except UnicodeError as error:
        raise UserError(
            f"{path} is not valid {encoding}: {_undecodable(path, encoding)}; give the file's own "
            "encoding, for instance --encoding latin-1"
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise UserError(f"{path} is not a {suffix[1:].upper()} table: {error}") from error


def _checked(frames: Iterator[pd.DataFrame], path: Path) -> Iterator[pd.DataFrame]:
    """The frames, if there is a row in them and every row fits the header."""
    empty = True
    with closing(frames):
        for frame in frames:
            if not isinstance(frame.index, pd.RangeIndex):
                # pandas takes surplus values of the first row for row names.
                raise UserError(f"{path}: rows have more values than the header has names")
            empty = empty and frame.empty
            yield frame
    if empty:
        raise UserError(f"{path} has no rows; expected a header and at least one row")


def check_table(path: Path, encoding: str) -> None:
    """Checks what can be seen without reading the table.

    Raises:
        UserError: the file is missing, empty, binary, or its format or encoding is unknown.
    """
    if not path.exists():
        raise UserError(f"no file {path}; expected a table ({', '.join(FORMATS)})")
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
            raise UserError(f"{path} is not a Parquet file: it does not begin with PAR1")
    elif not encoding.lower().startswith(("utf-16", "utf16", "utf-32", "utf32")):
        # Text has hardly any control characters; a stray NUL in a message is still text.
        controls = len(head) - len(head.translate(None, _CONTROLS))
        if controls > max(8, 0.02 * len(head)):
            raise UserError(
                f"{path} is a binary file, not text; expected {path.suffix[1:].upper()} text"
            )


def _with_mark(encoding: str) -> str:
    """UTF-8 with or without the mark that spreadsheets write first."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding


def _undecodable(path: Path, encoding: str) -> str:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                return f"line {number} has the byte 0x{line[error.start]:02x}"
    return "a character spans a line"


def _read_json_lines(path: Path, encoding: str, chunk_rows: int | None) -> Iterator[pd.DataFrame]:
    columns = None
    if chunk_rows:
        # A chunk may lack a key that another has, but all must have the same columns.
        keys: dict[str, None] = {}
        for row in _parse_json_lines(path, encoding):
            keys |= dict.fromkeys(row)
        columns = list(keys)
    rows = _parse_json_lines(path, encoding)
    while chunk := list(itertools.islice(rows, chunk_rows)):
        yield _as_frame(chunk, columns)


def _as_frame(rows: list[dict], columns: list[str] | None) -> pd.DataFrame:
    """A frame of Python objects, so that numbers stay what they are; strings are valid UTF-8."""
    clean = [{k: _plain(v) if isinstance(v, str) else v for k, v in row.items()} for row in rows]
    return pd.DataFrame(clean, columns=columns, dtype=object)


def _parse_json_lines(path: Path, encoding: str) -> Iterator[dict]:
    with path.open(encoding=_with_mark(encoding)) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise UserError(f"{path} line {number} is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise UserError(f"{path} line {number} is not a JSON object")
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
        raise UserError(f"{path} is not a whole Parquet file: {error}") from error


def pick_column(frame: pd.DataFrame, column: str, path: Path, option: str) -> pd.Series:
    """One column of a table.

    Raises:
        UserError: there is no such column; the message lists those there are.
    """
    if column not in frame.columns:
        found = ", ".join(map(str, frame.columns[:20]))
        raise UserError(f"{path} has no column {column!r}, only {found}; name it with {option}")
    return frame[column]


def as_text(values: pd.Series) -> pd.Series:
    """Strings from any column: missing values become empty, numbers are written plainly.

    Returns:
        Series of Python `str` (dtype object), valid as UTF-8: a lone surrogate becomes "?".
    """
    return pd.Series(
        [_plain(value) or "" for value in values.tolist()], index=values.index, dtype=object
    )


def _plain(value: Any) -> str | None:
    """A cell as text; None for a missing value."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not pd.api.types.is_scalar(value):
        return json.dumps(value, ensure_ascii=True, default=str)
    if pd.isna(value):
        return None
    # A column of whole numbers becomes float as soon as one is missing.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


class TableWriter:
    """Writes frames of equal columns one after the other, in the format of the file's suffix."""

    def __init__(self, path: Path, suffix: str):
        """Opens `path` for writing in the format that `suffix` names."""
        self._path, self._suffix = path, suffix.lower()
        self._parquet = None
        self._file = None
        if self._suffix != ".parquet":
            self._file = path.open("w", encoding="utf-8", newline="")
        self._first = True

    def write(self, frame: pd.DataFrame) -> None:
        """Appends the rows of `frame`."""
        if self._suffix in SEPARATORS:
            # With \r\n for the end of a line, a single \r in a text is quoted, too.
            separator = SEPARATORS[self._suffix]
            frame.to_csv(
                self._file, sep=separator, index=False, header=self._first, lineterminator="\r\n"
            )
        elif self._suffix in JSON_LINES:
            frame.to_json(
                self._file, orient="records", lines=True, force_ascii=False, double_precision=15
            )
        else:
            self._write_parquet(frame)
        self._first = False

    def _write_parquet(self, frame: pd.DataFrame) -> None:
        import pyarrow
        import pyarrow.parquet

        # Columns of Python objects may hold anything, differently in each chunk: they become text.
        objects = [name for name in frame if frame[name].dtype == object]
        frame = frame.assign(**{name: [_plain(v) for v in frame[name]] for name in objects})
        table = pyarrow.Table.from_pandas(frame, preserve_index=False)
        if self._parquet is None:
            fields = [
                pyarrow.field(field.name, pyarrow.string()) if field.name in objects else field
                for field in table.schema
            ]
            self._parquet = pyarrow.parquet.ParquetWriter(self._path, pyarrow.schema(fields))
        self._parquet.write_table(table.cast(self._parquet.schema))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None:
        for file in (self._file, self._parquet):
            if file is not None:
                file.close()
