"""Labels files: checks input and output, runs the pipeline, counts the rows and publishes."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from export.scoring.labelling import LabelledPiece, Task, output_schema
from export.scoring.local import count_processors, label_pieces
from export.scoring.model import find_model
from export.scoring.output import find_shards, publish, temporary_folder
from export.scoring.storage import absolute
from export.scoring.table import find_table
from kerasclf.errors import UserError


@dataclass(frozen=True)
class RowCounts:
    """What happened to the rows of the input.

    Attributes:
        rows_read: rows in the input.
        rows_written: labelled rows.
        rows_dead: rows that could not be labelled.
        dead_letters: number of these by reason.
    """

    rows_read: int
    rows_written: int
    rows_dead: int
    dead_letters: dict[str, int]

    @classmethod
    def check(cls, rows: int, written: int, dead: Mapping[str, int]) -> Self:
        """The counts, if every row is in one of them.

        Args:
            rows: rows in the input.
            written: labelled rows.
            dead: number of other rows by reason.

        Raises:
            RuntimeError: some are lost or doubled.
        """
        rejected = sum(dead.values())
        if written + rejected != rows:
            raise RuntimeError(
                f"{rows} rows were read, but {written} labelled and {rejected} rejected; "
                "nothing was written. Did a file of the input change?"
            )
        return cls(rows, written, rejected, dict(sorted(dead.items())))


@dataclass(frozen=True)
class BatchResult:
    """A labelled batch.

    Attributes:
        model: folder of the model.
        model_version: NAME/N of a run, N of a SavedModel.
        counts: what happened to the rows.
        seconds: duration.
        files: the files written, dead letters first.
    """

    model: str
    model_version: str
    counts: RowCounts
    seconds: float
    files: list[str]

    @property
    def rows_per_second(self) -> float:
        """Rows of the input per second."""
        return self.counts.rows_read / self.seconds


def label_files(
    model: Path,
    pattern: str,
    output: str,
    text_column: str = "text",
    overwrite: bool = False,
    workers: int | None = None,
    has_names: bool = True,
    prefix: str = "",
) -> BatchResult:
    """Labels the rows of tables on this machine.

    Args:
        model: folder of a run or of a published SavedModel, as for `find_model`.
        pattern: path or pattern of tables with the same columns, local or with a scheme of fsspec.
        output: prefix of the files to write: PREFIX-00000-of-00004.parquet.
        text_column: column of the texts.
        overwrite: whether to replace files of that prefix once the new ones are complete.
        workers: number of processes; as many as processors if None.
        has_names: whether the first row of CSV and TSV files names the columns.
        prefix: put before the names of the added columns.

    Raises:
        UserError: input, output, model or options are wrong; nothing was written.
        RuntimeError: a worker was killed, or rows were lost; nothing was written.
    """
    description = find_model(model)
    place = absolute(output, "--output")
    old = find_shards(place)
    if old and not overwrite:
        raise UserError(f"{old[0]} already exists; give another --output, or --overwrite")
    table = find_table(pattern, text_column, has_names)
    if both := sorted(set(old) & set(table.sources)):
        raise UserError(f"{both[0]} is both input and output; give another --output")
    schema = output_schema(table, description, prefix)

    start = time.perf_counter()
    with temporary_folder(place) as folder:
        rows, pieces = label_pieces(
            Task(table, description, schema, folder), workers or count_processors()
        )
        counts = count_rows(rows, pieces)
        if not rows:
            raise UserError(f"--input {pattern} has no rows; expected at least one")
        shards = [piece.shard for piece in pieces]
        dead_letters = [piece.dead_letters for piece in pieces if piece.dead_letters]
        files = publish(place, shards, dead_letters, old)
    seconds = time.perf_counter() - start
    return BatchResult(description.path, description.version, counts, seconds, files)


def count_rows(rows: int, pieces: list[LabelledPiece]) -> RowCounts:
    """Adds up the rows of all pieces.

    Args:
        rows: number of rows found when the input was cut into pieces.
        pieces: the pieces after labelling.

    Raises:
        RuntimeError: the pieces have fewer or more rows.
    """
    written = sum(piece.rows for piece in pieces)
    reasons = sum((Counter(piece.dead) for piece in pieces), Counter())
    return RowCounts.check(rows, written, reasons)
