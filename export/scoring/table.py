"""The files that a batch reads, checked to be one table."""

import os
from dataclasses import dataclass
from itertools import islice
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from export.scoring.records import BadRowError, parse_json, read_csv_records, read_json_records
from kerasclf.data.tables import FORMATS, JSON_LINES, SEPARATORS
from kerasclf.errors import UserError

SOURCE, ROW, LINE = "source_file", "source_row", "source_line"
LOOKED_AT = 1000
"""Number of lines of a JSONL file, of which at least one must have the text column."""
MARK = b"\xef\xbb\xbf"
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
    """

    sources: tuple[str, ...]
    format: str
    text_column: str
    schema: pa.Schema

    @property
    def columns(self) -> list[str]:
        """Column names of CSV, TSV and Parquet files."""
        return self.schema.names[2:]


def open_source(path: str) -> IO[bytes]:
    """Opens a file on any file system of Beam for reading, without decompression."""
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def find_table(pattern: str, text_column: str) -> Table:
    """Finds the files of a pattern and reads their columns.

    Raises:
        UserError: there are none, they cannot be read, or they are not one table with that column.
    """
    sources = _match(pattern)
    formats = {_format(source) for source in sources}
    if len(formats) > 1:
        raise UserError(
            f"--input {pattern} matches {' and '.join(sorted(formats))}; expected files of one "
            "format"
        )
    schemas = {source: _read_schema(source, text_column) for source in sources}
    first = schemas[sources[0]]
    for source, schema in schemas.items():
        if not schema.equals(first):
            raise UserError(
                f"{source} has the columns {_describe(schema)}, but {sources[0]} "
                f"{_describe(first)}; expected the same in all files"
            )
    schema = pa.schema([(SOURCE, pa.string()), (ROW, pa.int64()), *first])
    return Table(sources, formats.pop(), text_column, schema)


def _match(pattern: str) -> tuple[str, ...]:
    if os.path.isfile(pattern):
        return (os.path.abspath(pattern),)
    try:
        (match,) = FileSystems.match([pattern])
    except (BeamIOError, ValueError) as error:
        raise UserError(f"--input {pattern}: {error}") from error
    paths = [
        os.path.abspath(m.path) if "://" not in m.path else m.path for m in match.metadata_list
    ]
    sources = tuple(sorted(path for path in paths if not os.path.isdir(path)))
    if not sources:
        raise UserError(f"--input {pattern} matches no file; expected {', '.join(FORMATS)}")
    return sources


def _format(source: str) -> str:
    suffix = os.path.splitext(source)[1].lower()
    if suffix not in FORMATS:
        raise UserError(
            f"{source} ends in {suffix or 'nothing'!r}; expected one of {', '.join(FORMATS)}"
        )
    return JSON_LINES[0] if suffix in JSON_LINES else suffix


def _read_schema(source: str, text_column: str) -> pa.Schema:
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
                else _read_header(file, source, SEPARATORS[kind])
            )
    except OSError as error:
        raise UserError(f"cannot read {source}: {error.strerror or error}") from error
    names = schema.names
    if text_column not in names:
        columns = ", ".join(names[:20])
        raise UserError(
            f"{source} has no column {text_column!r}, only {columns}; name it with --text-column"
        )
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        raise UserError(f"{source} has the column {duplicate!r} twice; rename one there")
    kind = schema.field(text_column).type
    if not any(fits(_value_type(kind)) for fits in (*_STRINGS, *_BYTES)):
        raise UserError(f"column {text_column!r} of {source} is of type {kind}; expected strings")
    return schema


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _read_header(file: IO[bytes], source: str, separator: str) -> pa.Schema:
    skip_mark(file)
    header = next(read_csv_records(file, separator), None)
    if header is None:
        raise UserError(f"{source} is empty; expected a header")
    try:
        header.raw.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{source} is not UTF-8; save it as UTF-8") from error
    if header.fault:
        raise UserError(f"header of {source}: {header.fault} {header.detail}")
    return pa.schema([(name, pa.string()) for name in header.cells or ()])


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
        return pq.read_schema(file).remove_metadata()
    except pa.ArrowException as error:
        raise UserError(f"{source} is not a complete Parquet file: {error}") from error


def skip_mark(file: IO[bytes]) -> None:
    """Skips the byte order mark that spreadsheets write at the start of UTF-8 files."""
    if file.read(len(MARK)) != MARK:
        file.seek(0)


def _describe(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)[:200]
