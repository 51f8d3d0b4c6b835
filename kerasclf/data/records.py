"""Records of CSV, TSV and JSONL files of any size, one at a time, malformed ones included.

Reading can start at the offset of any record, and then yields the same records from there on.
"""

import csv
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

MAX_ROW_BYTES = 16 * 2**20
"""Maximum length of a row: a longer one could exhaust the memory."""
KEPT_BYTES = 10_000
"""Number of bytes kept of a row that is too long."""
MAX_LINES = 1000
"""Lines that a quoted cell of a tab-separated file may run over."""
TOO_LONG = f"row of more than {MAX_ROW_BYTES:,} bytes"


@dataclass(frozen=True, slots=True)
class Record:
    """A row of a text file.

    Attributes:
        offset: position of its first byte in the file.
        line: number of its first line, counted from 1 where reading started.
        raw: its bytes.
        cells: cells of a CSV row; bytes that are not UTF-8 are lone surrogates.
        fault: why it is not a valid row, or None.
        detail: details of the fault.
    """

    offset: int
    line: int
    raw: bytes
    cells: list[str] | None = None
    fault: str | None = None
    detail: str = ""


class BadRowError(ValueError):
    """A row that cannot be labelled: the reason, one of a few, and details."""

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


_Line = tuple[int, int, bytes, bool]
"""Offset, number and bytes of a line, and whether it is truncated."""


class _Lines:
    """Lines of a file with their offsets and numbers; lines can be put back."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._back: deque[_Line] = deque()
        self._offset, self._line = file.tell(), 0

    def take(self) -> _Line | None:
        """Offset, number and bytes of the next line, and whether it is truncated."""
        if self._back:
            return self._back.popleft()
        offset, line = self._offset, self._file.readline(MAX_ROW_BYTES)
        if not line:
            return None
        self._line += 1
        self._offset += len(line)
        cut = False
        rest = line
        # The rest of a line that is too long is skipped.
        while not rest.endswith(b"\n") and (rest := self._file.readline(MAX_ROW_BYTES)):
            cut = True
            self._offset += len(rest)
        return offset, self._line, line[:KEPT_BYTES] if cut else line, cut

    def put_back(self, lines: list[_Line]) -> None:
        self._back.extendleft(reversed(lines))


def read_json_records(file: IO[bytes]) -> Iterator[Record]:
    """Yields every line that is not blank."""
    lines = _Lines(file)
    while taken := lines.take():
        offset, number, line, cut = taken
        if line.strip():
            yield Record(offset, number, line.rstrip(b"\r\n"), None, TOO_LONG if cut else None)


def read_csv_records(
    file: IO[bytes], separator: str, columns: int | None = None
) -> Iterator[Record]:
    """Yields every row that is not a blank line.

    An unclosed quote makes only its own line invalid: reading continues with the next line. In
    tab-separated files, most quotes are part of a text. There a row is read without quoting if
    that gives it the right number of cells and quoting does not; and a quoted cell runs over
    several lines only if one of these lines would be no row by itself.

    Args:
        file: UTF-8, from the first byte of a row on.
        separator: of cells.
        columns: number of cells of a row; used for tab-separated files.
    """
    csv.field_size_limit(MAX_ROW_BYTES)
    lines = _Lines(file)
    while first := lines.take():
        offset, number, line, cut = first
        if cut:
            yield Record(offset, number, line, None, TOO_LONG)
        elif content := line.rstrip(b"\r\n"):
            if b'"' not in content and b"\r" not in content:
                text = content.decode("utf-8", "surrogateescape")
                yield Record(offset, number, content, text.split(separator))
            elif separator == "\t" and columns:
                yield _read_tab_separated(lines, first, columns)
            else:
                yield _read_quoted(lines, first, separator)


def _read_quoted(lines: _Lines, first: _Line, separator: str) -> Record:
    """The row that begins at a line; its quoted cells may run over several lines."""
    taken = [first]
    reader = csv.reader(_feed(lines, taken), delimiter=separator, strict=True)
    try:
        cells, fault, detail = next(reader), None, ""
    except csv.Error as error:
        cells, fault, detail = None, "row that does not parse", str(error)
        lines.put_back(taken[1:])
        taken = taken[:1]
    raw = b"".join(line for _, _, line, _ in taken).rstrip(b"\r\n")
    return Record(first[0], first[1], raw, cells, fault, detail)


def _read_tab_separated(lines: _Lines, first: _Line, columns: int) -> Record:
    """The row of a tab-separated file that begins at a line with a quote."""
    offset, number, line, _ = first
    raw = line.rstrip(b"\r\n")
    text = raw.decode("utf-8", "surrogateescape")
    plain = text.split("\t")
    try:
        (cells,) = csv.reader([text], delimiter="\t", strict=True)
    except (csv.Error, ValueError):
        cells = []
    if len(cells) == columns:
        return Record(offset, number, raw, cells)
    taken = [first]
    feed = _feed(lines, taken, MAX_LINES)
    try:
        cells = next(csv.reader(feed, delimiter="\t", strict=True))
    except csv.Error:
        cells = []
    each_is_a_row = all(len(line.split(b"\t")) == columns for _, _, line, _ in taken)
    if len(cells) == columns and not each_is_a_row:
        raw = b"".join(line for _, _, line, _ in taken).rstrip(b"\r\n")
        return Record(offset, number, raw, cells)
    lines.put_back(taken[1:])
    return Record(offset, number, raw, plain)


def _feed(lines: _Lines, taken: list[_Line], most: int | None = None) -> Iterator[str]:
    """Yields the first line of a row, and the lines that the row may extend to."""
    size = len(taken[0][2])
    yield taken[0][2].decode("utf-8", "surrogateescape")
    while (most is None or len(taken) < most) and (line := lines.take()):
        taken.append(line)
        size += len(line[2])
        if line[3] or size > MAX_ROW_BYTES:
            return
        yield line[2].decode("utf-8", "surrogateescape")


def check_cells(record: Record, columns: int) -> list[str]:
    """The cells of a CSV row.

    Raises:
        BadRowError: it has another number of cells, or is not valid.
    """
    check_record(record)
    cells = record.cells or []
    if len(cells) != columns:
        raise BadRowError("wrong number of cells", f"found {len(cells)}, expected {columns}")
    return cells


def parse_json(record: Record) -> dict[str, Any]:
    """Parses a line as a JSON object.

    Raises:
        BadRowError: it is not one.
    """
    check_record(record)
    try:
        row = json.loads(record.raw)
    except (ValueError, RecursionError) as error:
        raise BadRowError("not JSON", str(error)) from error
    if not isinstance(row, dict):
        raise BadRowError("not a JSON object", f"found {type(row).__name__}")
    return row


def check_record(record: Record) -> None:
    """Checks that a record is a valid row in UTF-8.

    Raises:
        BadRowError: it is not.
    """
    if record.fault:
        raise BadRowError(record.fault, record.detail)
    decode(record.raw)


def decode(raw: bytes) -> str:
    """Decodes bytes.

    Raises:
        BadRowError: they are not UTF-8.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadRowError("not UTF-8", f"byte 0x{raw[error.start]:02x}") from error
