"""CSV, TSV and JSON files as frames."""

import contextlib
import io
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pandas as pd

from kerasclf.console import say_once, warn
from kerasclf.data.cells import cell_to_text
from kerasclf.data.header import MARK, SEPARATORS, Header, read_header
from kerasclf.data.reading import GZIP, Reading, open_binary, table_suffix
from kerasclf.data.records import (
    BadRowError,
    Record,
    check_cells,
    parse_json,
    read_csv_records,
    read_json_records,
)
from kerasclf.errors import UserError


def read_delimited(
    path: Path, encoding: str, chunk_rows: int | None, reading: Reading
) -> Iterator[pd.DataFrame]:
    """Reads CSV or TSV in frames of strings; their index is the number of a row's first line.

    Args:
        path: of the table.
        encoding: that was found.
        chunk_rows: rows of a frame at most; None for one frame.
        reading: its delimiter, and whether its first row names the columns.

    Raises:
        UserError: a row is not valid; the message names its line.
    """
    with open_utf8(path, encoding) as file:
        suffix = table_suffix(path)
        header = read_header(file, str(path), suffix, reading.has_names, reading.separator)
        if reading.delimiter is None and header.separator != SEPARATORS[suffix]:
            say_once(f"{path} is separated by {header.separator!r}")
        judge = _Judge(path, header)
        rows = (judge.cells(record) for record in _records(file, header))
        while chunk := list(itertools.islice(rows, chunk_rows)):
            lines, cells = zip(*chunk, strict=True)
            yield pd.DataFrame(cells, index=lines, columns=list(header.names), dtype=object)
        judge.report()


def _records(file: IO[bytes], header: Header) -> Iterator[Record]:
    return read_csv_records(file, header.separator, len(header.names))


class _Judge:
    """Checks rows, and counts what may be a mistake."""

    def __init__(self, path: Path, header: Header):
        self._path, self._header = path, header
        # An index that pandas wrote is a first column without a name.
        self._unnamed = [position for position in header.unnamed if position]
        self._beside = 0
        self._long: list[tuple[int, int]] = []

    def cells(self, record: Record) -> tuple[int, list[str]]:
        """The number of a row's first line, and its cells."""
        line = self._header.lines + record.line
        try:
            cells = check_cells(record, len(self._header.names))
        except BadRowError as error:
            raise _bad_row(self._path, line, error) from error
        self._beside += any(cells[position].strip() for position in self._unnamed)
        if self._header.separator == "\t" and b"\n" in record.raw:
            self._long.append((line, line + record.raw.count(b"\n")))
        return line, cells

    def report(self) -> None:
        """Warns of what was counted."""
        if self._beside:
            numbers = ", ".join(str(position + 1) for position in self._unnamed)
            warn(
                f"{self._path}: {self._beside} rows have values in columns without a name "
                f"({numbers}), which are not read; a text that contains the separator must be "
                "quoted"
            )
        if self._long:
            first, last = self._long[0]
            warn(
                f"{self._path}: {len(self._long)} quoted cells run over several lines, the first "
                f"from line {first} to {last}; check that this is one row"
            )


def _bad_row(path: Path, line: int, error: BadRowError) -> UserError:
    if error.reason == "not UTF-8":
        return UserError(
            f"{path} is not valid utf-8: line {line} has the {error.detail}; give the encoding of "
            "the file, such as --encoding latin-1"
        )
    detail = f": {error.detail}" if error.detail else ""
    advice = "; repair or delete that line"
    return UserError(f"{path} line {line}: {error.reason}{detail}{advice}")


def read_json_lines(path: Path, encoding: str, chunk_rows: int | None) -> Iterator[pd.DataFrame]:
    """Reads a file of one JSON object per line in frames of Python objects, by number of the line.

    Raises:
        UserError: a line is not a JSON object.
    """
    columns = None
    if chunk_rows:
        # All chunks get the same columns, also those without a key that another chunk has.
        keys: dict[str, None] = {}
        for _, row in _parse_lines(path, encoding):
            keys |= dict.fromkeys(row)
        columns = list(keys)
    rows = _parse_lines(path, encoding)
    while chunk := list(itertools.islice(rows, chunk_rows)):
        lines, rows_of_chunk = zip(*chunk, strict=True)
        yield _make_frame(rows_of_chunk, lines, columns)


def _parse_lines(path: Path, encoding: str) -> Iterator[tuple[int, dict[str, Any]]]:
    with open_utf8(path, encoding) as file:
        if file.read(len(MARK)) != MARK:
            file.seek(0)
        for record in read_json_records(file):
            try:
                yield record.line, parse_json(record)
            except BadRowError as error:
                raise _bad_row(path, record.line, error) from error


def _make_frame(
    rows: Sequence[dict[str, Any]], numbers: Sequence[int], columns: list[str] | None = None
) -> pd.DataFrame:
    """A frame of Python objects, which keeps large integers exact; strings are valid UTF-8."""
    valid = [
        {cell_to_text(k): cell_to_text(v) if isinstance(v, str) else v for k, v in r.items()}
        for r in rows
    ]
    return pd.DataFrame(valid, index=pd.Index(numbers), columns=columns, dtype=object)


def read_json_array(path: Path, encoding: str) -> Iterator[pd.DataFrame]:
    """Reads a file that is an array of JSON objects, or one object per line, in one frame.

    Raises:
        UserError: it is another JSON file, or none.
    """
    with open_utf8(path, encoding) as file:
        content = file.read().removeprefix(MARK)
    try:
        rows = json.loads(content)
    except RecursionError as error:
        raise UserError(f"{path} is nested too deeply; expected an array of objects") from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not valid utf-8: byte {error.start}; give the encoding of the file, such "
            "as --encoding latin-1"
        ) from error
    except ValueError as error:
        if content.lstrip().startswith(b"{"):
            yield from read_json_lines(path, encoding, None)
            return
        raise UserError(f"{path} is not JSON: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(
            f"{path} is not an array of JSON objects such as "
            f'[{{"text": "hi", "label": "good"}}]{_advise(path, rows)}'
        )
    if rows:
        yield _make_frame(rows, range(1, len(rows) + 1))


def _advise(path: Path, value: Any) -> str:
    """How a list inside of a JSON file becomes a table, if there is one."""
    place = ""
    while isinstance(value, dict):
        key = next((k for k, v in value.items() if isinstance(v, dict | list) and v), None)
        if key is None:
            return ""
        place, value = f"{place}[{key!r}]", value[key]
    if not isinstance(value, list):
        return ""
    names = ', columns=["text", "label"]' if isinstance(value[0], list) else ""
    return (
        "; convert it by: import json, pathlib, pandas; "
        f"pandas.DataFrame(json.loads(pathlib.Path({str(path)!r}).read_text()){place}{names})"
        f".to_csv({path.stem + '.csv'!r}, index=False)"
    )


@contextlib.contextmanager
def open_utf8(path: Path, encoding: str) -> Iterator[IO[bytes]]:
    """Opens a text file as UTF-8; one that is compressed or of another encoding is converted.

    Raises:
        UnicodeError: the file is not valid in that encoding; UTF-8 is not checked.
    """
    is_valid = encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")
    if is_valid and path.suffix.lower() != GZIP:
        with path.open("rb") as file:
            yield file
        return
    with open_binary(path) as source, tempfile.TemporaryFile() as target:
        if is_valid:
            shutil.copyfileobj(source, target)
        else:
            with io.TextIOWrapper(source, encoding, newline="") as text:
                while block := text.read(2**20):
                    target.write(block.encode("utf-8", "surrogatepass"))
        target.seek(0)
        yield target
