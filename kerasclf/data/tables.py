"""Tables on disk: CSV, TSV, JSONL and Parquet, read whole or in chunks, and written in chunks."""

import csv
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Self

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
        empty = True
        with closing(frames):
            for frame in frames:
                if not isinstance(frame.index, pd.RangeIndex):
                    # pandas takes surplus values of the first row for row names.
                    raise UserError(f"{path}: rows have more values than the header has names")
                empty = empty and frame.empty
                yield frame
    except UnicodeError as error:
        raise UserError(
            f"{path} is not valid {encoding}: {_undecodable(path, encoding)}; give the file's own "
            "encoding, for instance --encoding latin-1"
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise UserError(f"{path} is not a {suffix[1:].upper()} table: {error}") from error
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
        if controls > 0.02 * len(head):
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
    rows: list[dict] = []
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
            rows.append(row)
            if len(rows) == chunk_rows:
                yield pd.DataFrame(rows)
                rows = []
    if rows or not chunk_rows:
        yield pd.DataFrame(rows)


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
    strings = ["" if v is None or v is pd.NA or v != v else str(v) for v in values.tolist()]
    return pd.Series(
        [s if s.isascii() else s.encode("utf-8", "replace").decode("utf-8") for s in strings],
        index=values.index,
        dtype=object,
    )


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
            separator = SEPARATORS[self._suffix]
            frame.to_csv(self._file, sep=separator, index=False, header=self._first)
        elif self._suffix in JSON_LINES:
            frame.to_json(self._file, orient="records", lines=True, force_ascii=False)
        else:
            import pyarrow
            import pyarrow.parquet

            table = pyarrow.Table.from_pandas(frame, preserve_index=False)
            if self._parquet is None:
                self._parquet = pyarrow.parquet.ParquetWriter(self._path, table.schema)
            self._parquet.write_table(table.cast(self._parquet.schema))
        self._first = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None:
        for file in (self._file, self._parquet):
            if file is not None:
                file.close()
