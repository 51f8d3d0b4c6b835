"""The files that a batch reads, checked to be one table."""

import os
from dataclasses import dataclass
from itertools import islice
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from export.scoring.storage import find_files, open_source
from kerasclf.data.columnar import index_columns
from kerasclf.data.header import MARK, SEPARATORS, Header, check_names, missing_column, read_header
from kerasclf.data.records import BadRowError, parse_json, read_csv_records, read_json_records
from kerasclf.data.tables import JSON_LINES
from kerasclf.errors import UserError

SOURCE, ROW, LINE = "source_file", "source_row", "source_line"
LOOKED_AT = 1000
"""Number of lines of a JSONL file, of which at least one must have the text column."""
FORMATS = (*SEPARATORS, *JSON_LINES, ".parquet")
_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
_STRINGS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


@dataclass(frozen=True)
class Table:
    """Files with the same columns.

    Attributes:
        sources: paths of the files.
        format: their suffix; `.jsonl` for both suffixes of JSON lines.
        text_column: column of the texts.
        schema: columns that are copied to the output: source_file, source_row, and those of the
            files; for JSONL, whose rows may differ, the text and the whole line as source_line.
        has_names: whether the first row of CSV and TSV files names the columns.
    """

    sources: tuple[str, ...]
    format: str
    text_column: str
    schema: pa.Schema
    has_names: bool = True

    @property
    def columns(self) -> list[str]:
        """Column names of CSV, TSV and Parquet files."""
        return self.schema.names[2:]


def find_table(pattern: str, text_column: str, has_names: bool = True) -> Table:
    """Finds the files of a pattern and reads their columns.

    Raises:
        UserError: there are none, they cannot be read, or they are not one table with that column.
    """
    sources = find_files(pattern, "--input")
    if not sources:
        raise UserError(f"--input {pattern} matches no file; expected {', '.join(FORMATS)}")
    formats = {_format(source) for source in sources}
    if len(formats) > 1:
        raise UserError(
            f"--input {pattern} matches {' and '.join(sorted(formats))}; expected files of one "
            "format"
        )
    schemas = {source: _read_schema(source, text_column, has_names) for source in sources}
    first = schemas[sources[0]]
    for source, schema in schemas.items():
        if not schema.equals(first):
            raise UserError(
                f"{source} has the columns {_describe(schema)}, but {sources[0]} "
                f"{_describe(first)}; expected the same in all files"
            )
    schema = pa.schema([(SOURCE, pa.string()), (ROW, pa.int64()), *first])
    return Table(tuple(sources), formats.pop(), text_column, schema, has_names)


def _format(source: str) -> str:
    suffix = os.path.splitext(source)[1].lower()
    if suffix not in FORMATS:
        raise UserError(
            f"{source} ends in {suffix or 'nothing'!r}; expected one of {', '.join(FORMATS)}"
        )
    return JSON_LINES[0] if suffix in JSON_LINES else suffix


def _read_schema(source: str, text_column: str, has_names: bool) -> pa.Schema:
    """The file's own columns.

    Raises:
        UserError: the file cannot be read, or is not a table with that column.
    """
    kind = _format(source)
    try:
        with open_source(source) as file:
            if kind in JSON_LINES:
                return _read_json_schema(file, source, text_column)
            schema = (
                _read_parquet_schema(file, source)
                if kind == ".parquet"
                else _read_names(file, source, kind, has_names, text_column)
            )
    except OSError as error:
        raise UserError(f"cannot read {source}: {error.strerror or error}") from error
    names = schema.names
    check_names(tuple(names), source)
    if text_column not in names:
        raise missing_column(names, text_column, source, "--text-column", ())
    kind = schema.field(text_column).type
    if not any(fits(_value_type(kind)) for fits in (*_STRINGS, *_BYTES)):
        raise UserError(f"column {text_column!r} of {source} is of type {kind}; expected strings")
    return schema


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _read_names(
    file: IO[bytes], source: str, kind: str, has_names: bool, text_column: str
) -> pa.Schema:
    header = read_header(file, source, kind, has_names)
    if text_column not in header.names:
        records = read_csv_records(file, header.separator, len(header.names))
        rows = [record.cells or [] for record in islice(records, 100)]
        raise missing_column(header.names, text_column, source, "--text-column", rows)
    return pa.schema([(name, pa.string()) for name in header.names])


def _read_json_schema(file: IO[bytes], source: str, text_column: str) -> pa.Schema:
    skip_mark(file)
    keys: dict[str, None] = {}
    looked_at = 0
    for record in islice(read_json_records(file), LOOKED_AT):
        looked_at += 1
        try:
            keys |= dict.fromkeys(parse_json(record))
        except BadRowError:
            continue
        if text_column in keys:
            break
    if looked_at and text_column not in keys:
        columns = ", ".join(list(keys)[:20]) or "no JSON objects"
        raise UserError(
            f"the first {looked_at} rows of {source} have no {text_column!r}, only {columns}; name "
            "it with --text-column"
        )
    return pa.schema([(text_column, pa.string()), (LINE, pa.string())])


def _read_parquet_schema(file: IO[bytes], source: str) -> pa.Schema:
    try:
        schema = pq.read_schema(file)
        unnamed = index_columns(schema)
        return pa.schema([field for field in schema if field.name not in unnamed])
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UserError(f"{source} is not a complete Parquet file: {error}") from error


def skip_header(file: IO[bytes], source: str, table: Table) -> Header:
    """Moves a text file to its first row.

    Returns:
        Where the rows begin; of JSONL, with no names and no separator.
    """
    if table.format in SEPARATORS:
        return read_header(file, source, table.format, table.has_names)
    skip_mark(file)
    return Header((), "", file.tell(), 0)


def skip_mark(file: IO[bytes]) -> None:
    """Skips the byte order mark that spreadsheets write at the start of UTF-8 files."""
    if file.read(len(MARK)) != MARK:
        file.seek(0)


def _describe(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)[:200]
