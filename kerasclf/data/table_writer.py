"""Tables written in chunks: CSV, TSV, JSONL and Parquet."""

from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

import pandas as pd

from kerasclf.data.cells import cell_to_text
from kerasclf.data.header import SEPARATORS
from kerasclf.data.tables import JSON_LINES

if TYPE_CHECKING:
    import pyarrow.parquet


WRITTEN = (*SEPARATORS, *JSON_LINES, ".parquet")
"""Suffixes of the formats."""


class TableWriter:
    """Writes frames with the same columns one after another, in the format that a suffix names."""

    def __init__(self, path: Path, suffix: str):
        """Opens `path` for writing in the format that `suffix` names."""
        self._path, self._suffix = path, suffix.lower()
        self._parquet: pyarrow.parquet.ParquetWriter | None = None
        self._file: TextIO | None = None
        if self._suffix != ".parquet":
            self._file = path.open("w", encoding="utf-8", newline="")
        self._first = True

    def write(self, frame: pd.DataFrame) -> None:
        """Appends the rows of `frame`."""
        if self._suffix in SEPARATORS:
            # With \r\n as the line terminator, pandas also quotes texts that contain a lone \r.
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

        # An object column may hold other types in each chunk, so all of it is written as text.
        objects = [str(name) for name in frame if frame[name].dtype == object]
        frame = frame.copy()
        for name in objects:
            frame[name] = [cell_to_text(value) for value in frame[name]]
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
