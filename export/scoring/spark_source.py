"""The files that a Spark job reads, by Spark's own readers; bad rows become dead letters."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from export.scoring.rows import check_text, read_json_text
from export.scoring.table import FORMATS, LINE, SOURCE
from kerasclf.data.header import missing_column, read_header
from kerasclf.data.records import BadRowError, Record, decode
from kerasclf.data.tables import JSON_LINES
from kerasclf.errors import UserError
from kerasclf.spark import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Source:
    """The rows to label.

    Attributes:
        frame: source_file, and the columns of the output that come from the input.
        cells: a column of binary, which `read` takes.
        read: turns a cell into a text, or raises `BadRowError`.
        has_text: whether the texts are a column of the frame.
    """

    frame: "DataFrame"
    cells: Any
    read: Callable[[Any], str]
    has_text: bool = True


def read_source(spark: "SparkSession", pattern: str, text_column: str, has_names: bool) -> Source:
    """Reads files.

    Args:
        spark: the session.
        pattern: path or pattern, as Spark reads it, that ends as the files do.
        text_column: column of the texts.
        has_names: whether the first row of CSV and TSV files names the columns.

    Raises:
        UserError: they are not tables with that column.
    """
    from pyspark.sql import functions

    suffix = os.path.splitext(pattern)[1].lower()
    if suffix not in FORMATS:
        raise UserError(
            f"--input {pattern} ends in {suffix or 'nothing'!r}; expected one of "
            f"{', '.join(FORMATS)}"
        )
    source = functions.col("_metadata.file_path").alias(SOURCE)
    if suffix in JSON_LINES:
        lines = spark.read.text(pattern)
        rows = lines.select(source, lines["value"].alias(LINE)).where(f"trim({LINE}) != ''")
        frame = _spread(rows)
        read = partial(read_line, column=text_column)
        return Source(frame, frame[LINE].cast("binary"), read, has_text=False)
    if suffix == ".parquet":
        table = spark.read.parquet(pattern)
    else:
        table = _read_csv(spark, pattern, suffix, has_names)
    if text_column not in table.columns:
        raise missing_column(table.columns, text_column, pattern, "--text-column", ())
    kind = table.schema[text_column].dataType.simpleString()
    if kind not in ("string", "binary"):
        raise UserError(f"column {text_column!r} of {pattern} is of type {kind}; expected strings")
    frame = _spread(table.select(source, "*"))
    # As bytes: a string of a Parquet file may not be valid UTF-8.
    cells = frame[quote(text_column)].cast("binary")
    if suffix == ".parquet":
        return Source(frame, cells, read_cell)
    filled = functions.coalesce(cells, functions.lit(b""))
    return Source(frame, functions.when(frame[LINE].isNull(), filled), read_csv_cell)


def _read_csv(spark: "SparkSession", pattern: str, suffix: str, has_names: bool) -> "DataFrame":
    """The columns of the files, and source_line: a row that does not parse, or null."""
    from pyspark.sql.types import StringType, StructField, StructType

    # The first lines of a file show the separator, as they do in training.
    lines = spark.read.text(pattern).where("_metadata.file_block_start = 0").take(LOOKED_AT)
    head = "".join(f"{line['value']}\n" for line in lines)
    header = read_header(io.BytesIO(head.encode()), pattern, suffix, has_names)
    if LINE in header.names:
        raise UserError(
            f"{pattern} already has {LINE!r}, as the column of bad rows would be called"
        )
    names = (*header.names, LINE)
    return spark.read.csv(
        pattern,
        schema=StructType([StructField(name, StringType()) for name in names]),
        sep=header.separator,
        header=has_names,
        enforceSchema=bool(header.unnamed) or not has_names,
        quote='"',
        escape='"',
        multiLine=True,
        columnNameOfCorruptRecord=LINE,
    )


def _spread(frame: "DataFrame") -> "DataFrame":
    """The frame in as many partitions as there are cores: a file may be read by one task alone."""
    cores = frame.sparkSession.sparkContext.defaultParallelism
    return frame.repartition(cores) if frame.rdd.getNumPartitions() < cores else frame


LOOKED_AT = 50
"""Lines of a CSV file that show how it is separated."""


def read_cell(cell: bytes | None) -> str:
    """The text of a cell.

    Raises:
        BadRowError: it has none.
    """
    return check_text(None if cell is None else decode(bytes(cell)))


def read_csv_cell(cell: bytes | None) -> str:
    """The text of a row of CSV.

    Raises:
        BadRowError: it has none, or is None since the row does not parse.
    """
    if cell is None:
        raise BadRowError("row that does not parse")
    return read_cell(cell)


def read_line(line: bytes, column: str) -> str:
    """The text of a line of JSON.

    Raises:
        BadRowError: it has none.
    """
    return read_json_text(Record(0, 1, bytes(line)), column)
