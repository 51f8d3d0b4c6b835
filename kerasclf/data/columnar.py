"""Parquet, Feather and ORC files as frames."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from kerasclf.data.reading import COLUMNAR
from kerasclf.errors import UserError

if TYPE_CHECKING:
    import pyarrow

_INDEX = re.compile(r"__index_level_\d+__")


def index_columns(schema: "pyarrow.Schema") -> list[str]:
    """Names of the columns that hold an index of pandas which has no name.

    pandas writes one after a filter or a split. An index with a name is a column like others.
    """
    try:
        stored = (schema.pandas_metadata or {}).get("index_columns", [])
    except (ValueError, AttributeError):
        # Damaged, or of a program that keeps something else under this name.
        return []
    return [name for name in stored if isinstance(name, str) and _INDEX.fullmatch(name)]


def read_columnar(path: Path, chunk_rows: int | None) -> Iterator[pd.DataFrame]:
    """Reads a Parquet, Feather or ORC file in frames, without an index that has no name.

    The index of the frames is the number of the row, from 1.

    Raises:
        UserError: it is damaged.
    """
    read = 0
    try:
        for table in _read_tables(path, chunk_rows):
            kept = table.drop_columns(index_columns(table.schema))
            frame = kept.to_pandas(ignore_metadata=True)
            frame.index += read + 1
            read += len(frame)
            yield frame
    except Exception as error:
        # pyarrow raises many kinds of errors of damaged files.
        name = COLUMNAR[path.suffix.lower()]
        raise UserError(f"{path} is not a complete {name} file: {error}") from error


def _read_tables(path: Path, chunk_rows: int | None) -> Iterator["pyarrow.Table"]:
    import pyarrow

    suffix = path.suffix.lower()
    if suffix == ".feather":
        import pyarrow.feather

        whole = pyarrow.feather.read_table(path)
    elif suffix == ".orc":
        import pyarrow.orc

        whole = pyarrow.orc.read_table(path)
    else:
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(path) as file:
            if chunk_rows:
                for batch in file.iter_batches(chunk_rows):
                    yield pyarrow.Table.from_batches([batch])
                return
            whole = file.read()
    for start in range(0, len(whole), chunk_rows or max(len(whole), 1)):
        yield whole.slice(start, chunk_rows)
