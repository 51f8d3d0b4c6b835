"""Labels pieces, each into a file of labelled rows and, if needed, a dead-letter file."""

import contextlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from export.scoring.model import Model
from export.scoring.rows import Piece, read_chunks
from export.scoring.storage import create
from export.scoring.table import Table
from kerasclf.prediction import Predictor, check_names_are_free, name_columns

VERSION = "model_version"


@dataclass(frozen=True)
class LabelledPiece:
    """A piece after labelling.

    Attributes:
        rows: number of labelled rows.
        dead: number of other rows by reason.
        shard: path of the file of labelled rows.
        dead_letters: path of the dead-letter file, or None if there are none.
    """

    rows: int
    dead: dict[str, int]
    shard: str
    dead_letters: str | None


def output_schema(table: Table, model: Model, prefix: str = "") -> pa.Schema:
    """Columns of the output.

    Raises:
        UserError: the input already has columns with the names of added ones.
    """
    kinds = {"predicted_label": pa.string(), "review": pa.bool_(), VERSION: pa.string()}
    added = [
        pa.field(prefix + name, kinds.get(name, pa.float64()))
        for name in (*name_columns(model.labels), VERSION)
    ]
    names = (field.name for field in added)
    check_names_are_free(str(table.sources[0]), table.schema.names, names)
    return pa.schema([*table.schema, *added])


@dataclass(frozen=True)
class Task:
    """What is the same for all pieces.

    Attributes:
        table: the files to read.
        model: the model.
        schema: columns of the output.
        folder: where files are written.
    """

    table: Table
    model: Model
    schema: pa.Schema
    folder: str

    def label(self, piece: Piece, number: int, labeller: Predictor) -> LabelledPiece:
        """Reads, labels and writes a piece chunk by chunk.

        Args:
            piece: the piece.
            number: by which its files are named.
            labeller: the model, loaded.
        """
        name = f"{self.folder}/{number:08d}"
        shard, dead_letters = f"{name}.parquet", f"{name}.jsonl"
        rows = 0
        dead: Counter[str] = Counter()
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(create(shard))
            writer = stack.enter_context(pq.ParquetWriter(file, self.schema))
            letters: Any = None
            for chunk in read_chunks(piece, self.table):
                if chunk.texts:
                    writer.write_table(self._label_rows(chunk.table, chunk.texts, labeller))
                    rows += len(chunk.texts)
                if chunk.bad and letters is None:
                    letters = stack.enter_context(create(dead_letters))
                for letter in chunk.bad:
                    letters.write(json.dumps(letter, ensure_ascii=False).encode() + b"\n")
                    dead[letter["reason"]] += 1
        return LabelledPiece(rows, dict(dead), shard, dead_letters if dead else None)

    def _label_rows(self, rows: pa.Table, texts: list[str], labeller: Predictor) -> pa.Table:
        predicted = labeller.predict(texts)
        columns = [pa.array(predicted[name]) for name in predicted]
        version = pa.array([self.model.version] * len(texts), pa.string())
        table = [*rows.columns, *columns, version]
        return pa.Table.from_arrays(
            [
                column.cast(field.type) if column.type != field.type else column
                for column, field in zip(table, self.schema, strict=True)
            ],
            schema=self.schema,
        )
