"""The pipeline: files to pieces, and pieces to files of labelled rows.

Only descriptions of pieces pass from one step to the next, never rows: a runner may hold everything
between two steps in memory, as Beam's local runner does.
"""

import contextlib
import io
import json
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    StandardOptions,
)
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineRunner, create_runner
from apache_beam.utils.shared import Shared

from export.scoring.model import Model, load_model
from export.scoring.rows import Piece, plan_pieces, read_chunks
from export.scoring.table import Table, open_source
from kerasclf.errors import UserError

VERSION = "model_version"
LOCAL = ("directrunner", "fnapirunner")


class LabelledPiece(TypedDict):
    """A piece after labelling.

    Attributes:
        source: path of the piece's file.
        first_row: number of its first row in that file, counted from 1.
        rows: number of labelled rows.
        dead: number of other rows by reason.
        shard: path of the file of labelled rows.
        dead_letters: path of the dead-letter file, or None if there are none.
    """

    source: str
    first_row: int
    rows: int
    dead: dict[str, int]
    shard: str
    dead_letters: str | None


def parse_beam_options(arguments: Sequence[str]) -> tuple[PipelineRunner, PipelineOptions]:
    """Runner and options from Beam's own arguments.

    The local runner is always the Python one: Beam may otherwise download a program and use that.
    Several local workers are processes unless --direct_running_mode is given.

    Raises:
        UserError: Beam rejects an argument.
    """
    stderr = io.StringIO()
    flags = list(arguments)

    def refuse_unknown(parser: Any) -> None:
        if unknown := parser.parse_known_args(flags)[1]:
            raise UserError(
                f"unknown argument {unknown[0]}; expected an option of kerasclf batch or of Beam"
            )

    try:
        with contextlib.redirect_stderr(stderr):
            options = PipelineOptions(flags)
            options.get_all_options(add_extra_args_fn=refuse_unknown)
    except SystemExit:
        raise UserError(f"Beam: {stderr.getvalue().strip().splitlines()[-1]}") from None
    name = options.view_as(StandardOptions).runner or LOCAL[0]
    if name.lower() not in LOCAL:
        try:
            return create_runner(name), options
        except (ValueError, ImportError, AttributeError) as error:
            raise UserError(f"--runner {name}: {error}") from error
    direct = options.view_as(DirectOptions)
    mode_given = any(flag.startswith("--direct_running_mode") for flag in flags)
    if direct.direct_num_workers != 1 and not mode_given:
        direct.direct_running_mode = "multi_processing"
    return FnApiRunner(), options


def output_schema(table: Table, model: Model, prefix: str = "") -> pa.Schema:
    """Columns of the output.

    Raises:
        UserError: the input already has columns with the names of added ones.
    """
    added = [
        pa.field(f"{prefix}predicted_label", pa.string()),
        pa.field(f"{prefix}confidence", pa.float64()),
        pa.field(f"{prefix}review", pa.bool_()),
        *(pa.field(f"{prefix}p_{label}", pa.float64()) for label in model.labels),
        pa.field(f"{prefix}{VERSION}", pa.string()),
    ]
    names = [*table.schema.names, *(field.name for field in added)]
    if duplicates := [name for name, count in Counter(names).items() if count > 1]:
        raise UserError(
            f"{table.sources[0]} already has {', '.join(map(repr, duplicates))}, as added columns "
            "would be called; give a --prefix for their names, such as --prefix model_"
        )
    return pa.schema([*table.schema, *added])


class PlanPieces(beam.DoFn):
    """Cuts files into pieces."""

    def __init__(self, table: Table):
        self._table = table

    def process(self, source: str) -> Iterator[Piece]:
        """Yields the pieces of a file; a text file is read once for this."""
        yield from plan_pieces(source, self._table)


class LabelPieces(beam.DoFn):
    """Labels pieces, each into a file of labelled rows and, if needed, a dead-letter file.

    The files get new names each time, since a runner may process a piece twice and drop one result.
    """

    def __init__(self, table: Table, model: Model, folder: str, schema: pa.Schema):
        self._table, self._description, self._folder = table, model, folder
        self._schema = schema
        # One model for all threads of a process.
        self._shared = Shared()

    def setup(self) -> None:
        """Loads the model, once per process."""
        self._model = self._shared.acquire(lambda: load_model(self._description))

    def process(self, piece: Piece) -> Iterator[LabelledPiece]:
        """Reads, labels and writes a piece chunk by chunk."""
        name = FileSystems.join(self._folder, uuid.uuid4().hex)
        shard, dead_letters = f"{name}.parquet", f"{name}.jsonl"
        rows = 0
        dead: Counter[str] = Counter()
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(FileSystems.create(shard))
            writer = stack.enter_context(pq.ParquetWriter(file, self._schema))
            letters: Any = None
            for chunk in read_chunks(piece, self._table):
                if chunk.texts:
                    writer.write_table(self._label(chunk.table, chunk.texts))
                    rows += len(chunk.texts)
                if chunk.bad and letters is None:
                    letters = stack.enter_context(FileSystems.create(dead_letters))
                for letter in chunk.bad:
                    letters.write(json.dumps(letter, ensure_ascii=False).encode() + b"\n")
                    dead[letter["reason"]] += 1
        yield LabelledPiece(
            source=piece.source,
            first_row=piece.first_row,
            rows=rows,
            dead=dict(dead),
            shard=shard,
            dead_letters=dead_letters if dead else None,
        )

    def _label(self, rows: pa.Table, texts: list[str]) -> pa.Table:
        predicted = self._model.predict(texts)
        columns = [pa.array(predicted[name]) for name in predicted]
        version = pa.array([self._description.version] * len(texts), pa.string())
        table = [*rows.columns, *columns, version]
        return pa.Table.from_arrays(
            [
                column.cast(field.type) if column.type != field.type else column
                for column, field in zip(table, self._schema, strict=True)
            ],
            schema=self._schema,
        )


def _write_json(value: Any, path: str) -> None:
    with FileSystems.create(path) as file:
        file.write(json.dumps(value).encode())


def _read_json(path: str) -> Any:
    with open_source(path) as file:
        return json.loads(file.read())


def run_pipeline(
    table: Table,
    model: Model,
    folder: str,
    schema: pa.Schema,
    runner: PipelineRunner,
    options: PipelineOptions,
) -> tuple[int, list[LabelledPiece]]:
    """Labels all rows into files in a folder.

    Args:
        table: the files to read.
        model: the model, which each worker loads.
        folder: where files are written; all workers can write there.
        schema: columns of the output.
        runner: Beam's runner.
        options: Beam's options.

    Returns:
        Number of rows found when the files were cut into pieces, and the labelled pieces in the
        order of the input.
    """
    planned, done = (FileSystems.join(folder, name) for name in ("planned.json", "done.json"))
    with beam.Pipeline(runner=runner, options=options) as pipeline:
        pieces = (
            pipeline
            | beam.Create(table.sources)
            | "share files" >> beam.Reshuffle()
            | beam.ParDo(PlanPieces(table))
        )
        (
            pieces
            | beam.Map(lambda piece: piece.rows)
            | beam.CombineGlobally(sum)
            | "write planned" >> beam.Map(_write_json, planned)
        )
        (
            pieces
            | "share pieces" >> beam.Reshuffle()
            | beam.ParDo(LabelPieces(table, model, folder, schema))
            | beam.combiners.ToList()
            | "write done" >> beam.Map(_write_json, done)
        )
    order = sorted(_read_json(done), key=lambda piece: (piece["source"], piece["first_row"]))
    return _read_json(planned), order
