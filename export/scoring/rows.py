"""Pieces of files and their rows: valid ones in chunks, invalid ones as dead letters.

Whether a row is valid does not depend on the format: it parses, and its text is a UTF-8 string that
is not blank.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from export.scoring.storage import open_source
from export.scoring.table import Table, skip_header
from kerasclf.data.cells import is_blank
from kerasclf.data.header import Header
from kerasclf.data.records import (
    BadRowError,
    Record,
    check_cells,
    decode,
    parse_json,
    read_csv_records,
    read_json_records,
)
from kerasclf.data.tables import JSON_LINES
from kerasclf.errors import UserError

PIECE_ROWS, PIECE_BYTES = 25_000, 64 * 2**20
CHUNK_ROWS, CHUNK_BYTES = 2048, 16 * 2**20


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of one file.

    Attributes:
        source: path of the file.
        first_row: number of its first row, counted from 1.
        rows: number of rows.
        offset: position of the first row's first byte, in a text file.
        first_line: number of lines before the first row, in a text file.
        separator: of cells, in a CSV or TSV file.
    """

    source: str
    first_row: int
    rows: int
    offset: int = 0
    first_line: int = 0
    separator: str = ""


@dataclass(frozen=True)
class Chunk:
    """Some rows of a piece.

    Attributes:
        table: the valid rows, with the columns of the table's schema.
        texts: their texts.
        bad: a dead letter for each invalid row.
    """

    table: pa.Table
    texts: list[str]
    bad: list[dict[str, Any]]


def plan_pieces(source: str, table: Table) -> Iterator[Piece]:
    """Cuts a file into pieces.

    Rows are counted here and again when they are labelled, so that a lost row is noticed. A text
    file is read completely: where a row of a CSV starts depends on all quotes before it.
    """
    with open_source(source) as file:
        if table.format == ".parquet":
            count = pq.read_metadata(file).num_rows
            for start in range(0, count, PIECE_ROWS):
                yield Piece(source, start + 1, min(PIECE_ROWS, count - start))
            return
        header = skip_header(file, source, table)
        records = _read_records(file, header.separator, table)
        begin, rows, first_row = None, 0, 1
        for record in records:
            full = begin and (rows == PIECE_ROWS or record.offset - begin.offset >= PIECE_BYTES)
            if full:
                yield _piece(source, first_row, rows, begin, header)
                first_row += rows
            if full or begin is None:
                begin, rows = record, 0
            rows += 1
        if begin:
            yield _piece(source, first_row, rows, begin, header)


def _piece(source: str, first_row: int, rows: int, begin: Record, header: Header) -> Piece:
    lines = header.lines + begin.line - 1
    return Piece(source, first_row, rows, begin.offset, lines, header.separator)


def _read_records(file: IO[bytes], separator: str, table: Table) -> Iterator[Record]:
    if table.format in JSON_LINES:
        return read_json_records(file)
    return read_csv_records(file, separator, len(table.columns))


def read_chunks(piece: Piece, table: Table) -> Iterator[Chunk]:
    """Reads a piece; memory use does not depend on its size."""
    if table.format == ".parquet":
        try:
            yield from _read_parquet(piece, table)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise UserError(f"{piece.source} is damaged: {error}") from error
        return
    with open_source(piece.source) as file:
        file.seek(piece.offset)
        good, texts, bad, size = [], [], [], 0
        records = islice(_read_records(file, piece.separator, table), piece.rows)
        for row, record in enumerate(records, start=piece.first_row):
            size += len(record.raw)
            try:
                values, text = _parse(record, table)
                good.append((piece.source, row, *values))
                texts.append(text)
            except BadRowError as error:
                line, raw = piece.first_line + record.line, _show(record.raw)
                bad.append(_dead_letter(piece, row, line, error, raw))
            if len(good) + len(bad) == CHUNK_ROWS or size >= CHUNK_BYTES:
                yield Chunk(_as_table(good, table), texts, bad)
                good, texts, bad, size = [], [], [], 0
        yield Chunk(_as_table(good, table), texts, bad)


def _parse(record: Record, table: Table) -> tuple[list[str], str]:
    """The values of a row's columns, and its text."""
    if table.format in JSON_LINES:
        text = read_json_text(record, table.text_column)
        return [text, record.raw.decode()], text
    cells = check_cells(record, len(table.columns))
    text = check_text(cells[table.columns.index(table.text_column)])
    return cells, text


def read_json_text(record: Record, column: str) -> str:
    """The text of a line of JSON.

    Raises:
        BadRowError: it is no JSON object, or has no text.
    """
    row = parse_json(record)
    if column not in row:
        raise BadRowError("no text")
    # JSON may escape a lone surrogate, which `kerasclf predict` also replaces by "?".
    return check_text(row[column]).encode("utf-8", "replace").decode()


def check_text(text: Any) -> str:
    """A cell that is a text.

    Raises:
        BadRowError: it is missing, blank or no string.
    """
    if text is None:
        raise BadRowError("no text")
    if not isinstance(text, str):
        raise BadRowError("text is not a string", f"found {type(text).__name__}")
    if is_blank(text):
        raise BadRowError("empty text")
    return text


def _as_table(rows: list[tuple], table: Table) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[]] * len(table.schema)
    return pa.table([list(column) for column in columns], schema=table.schema)


def _read_parquet(piece: Piece, table: Table) -> Iterator[Chunk]:
    begin, end = piece.first_row - 1, piece.first_row - 1 + piece.rows
    with open_source(piece.source) as opened, pq.ParquetFile(opened) as file:
        start = 0
        for group in range(file.num_row_groups):
            stop = start + file.metadata.row_group(group).num_rows
            if start < end and stop > begin:
                # A piece may start inside a row group, which is then read from its start.
                for batch in file.iter_batches(
                    CHUNK_ROWS, row_groups=[group], columns=table.columns
                ):
                    low, high = max(begin - start, 0), min(end - start, len(batch))
                    if low < high:
                        rows = batch.slice(low, high - low)
                        yield _judge_batch(piece, start + low + 1, rows, table)
                    start += len(batch)
                    if start >= end:
                        return
            start = stop


def _judge_batch(piece: Piece, first_row: int, batch: pa.RecordBatch, table: Table) -> Chunk:
    texts, bad, good = [], [], []
    for place, raw in enumerate(_as_bytes(batch.column(table.text_column))):
        try:
            texts.append(check_text(None if raw is None else decode(raw)))
            good.append(place)
        except BadRowError as error:
            cells = {name: _read_cell(batch.column(name)[place]) for name in batch.schema.names}
            row = json.dumps(cells, ensure_ascii=False, default=str)
            bad.append(_dead_letter(piece, first_row + place, None, error, row))
    kept = pa.Table.from_batches([batch]).take(pa.array(good, pa.int64()))
    places = [
        pa.array([piece.source] * len(good), pa.string()),
        pa.array([first_row + place for place in good], pa.int64()),
    ]
    return Chunk(pa.table([*places, *kept.columns], schema=table.schema), texts, bad)


def _as_bytes(column: pa.Array) -> list[bytes | None]:
    """Strings as bytes, which may not be valid UTF-8."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionarydecode()
    return column.cast(pa.large_binary()).to_pylist()


def _read_cell(cell: pa.Scalar) -> Any:
    try:
        value = cell.as_py()
    except UnicodeDecodeError:
        value = cell.cast(pa.binary()).as_py()
    return _show(value) if isinstance(value, bytes) else value


def _show(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _dead_letter(
    piece: Piece, row: int, line: int | None, error: BadRowError, raw: str
) -> dict[str, Any]:
    return {
        "source_file": piece.source,
        "source_row": row,
        "source_line": line,
        "reason": error.reason,
        "detail": error.detail,
        "raw": raw,
    }
