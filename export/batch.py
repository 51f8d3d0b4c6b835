"""`kerasclf batch`: label tables of any size on Apache Beam.

Rows that cannot be labelled go to dead-letter files with the reason. Nothing is written under the
prefix until every row of the input is in the one or the other; `export/scoring/output.py` says what
a crash can leave.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError
from kerasclf.extras import check_installed


@dataclass
class BatchOptions(command.Options):
    """Label the rows of tables on Apache Beam; further options are Beam's."""

    model: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run or of a published SavedModel, or of all of a name for the newest."""
    input: str | None = None
    """Table, or a pattern such as 'posts/*.jsonl' of tables with the same columns (CSV, TSV,
    JSONL, Parquet; UTF-8)."""
    output: str | None = None
    """Beginning of the files to write: PREFIX-00000-of-00004.parquet."""
    text_column: str = "text"
    """Column with the texts."""
    overwrite: bool = False
    """Replace files of that prefix, as soon as the new ones are whole."""
    beam: tyro.conf.Suppress[tuple[str, ...]] = ()


def label_batch(options: BatchOptions) -> dict[str, Any]:
    """Labels the rows of all files, and returns what became of them."""
    if options.model is None or options.input is None or options.output is None:
        raise UserError(
            "give --input PATTERN, --output PREFIX and a run or SavedModel, before Beam's options"
        )
    check_installed("apache_beam", "apache-beam", "beam")
    # Beam warns when it is imported that Google's client libraries are not there.
    with command.quiet_imports():
        from export.scoring.pipeline import output_schema, parse_beam_options, run_pipeline
    from export.scoring.model import find_model
    from export.scoring.output import beside, find_shards, publish
    from export.scoring.table import find_table

    runner, beam_options = parse_beam_options(options.beam)
    model = find_model(options.model)
    prefix = options.output if "://" in options.output else os.path.abspath(options.output)
    if options.output.endswith("/"):
        prefix += "/"
    old = find_shards(prefix)
    if old and not options.overwrite:
        raise UserError(f"{old[0]} is there already; give another --output, or --overwrite")
    table = find_table(options.input, options.text_column)
    if both := sorted(set(old) & set(table.sources)):
        raise UserError(f"{both[0]} is input and output; give another --output")
    output_schema(table, model)

    start = time.perf_counter()
    with beside(prefix) as folder:
        try:
            # Workers write TensorFlow's start-up lines and Beam's own.
            with command.quiet_imports():
                read, pieces = run_pipeline(table, model, folder, runner, beam_options)
        except Exception as error:
            # Beam's message holds the whole traceback of a worker.
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            last = lines[-1] if lines else type(error).__name__
            raise RuntimeError(f"nothing was written, the pipeline failed: {last}") from error
        counts = count(read, pieces)
        if not read:
            raise UserError(f"--input {options.input} has no rows; expected at least one")
        shards = [piece["shard"] for piece in pieces]
        letters = [piece["dead_letters"] for piece in pieces if piece["dead_letters"]]
        files = publish(prefix, shards, letters, old)
    seconds = time.perf_counter() - start
    return {
        "model": model.path,
        "model_version": model.version,
        **counts,
        "seconds": seconds,
        "rows_per_second": read / seconds,
        "files": files,
    }


def count(read: int, pieces: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts what became of the rows.

    Args:
        read: rows that there are.
        pieces: as of `run_pipeline`.

    Raises:
        RuntimeError: they are not as many as were read.
    """
    written = sum(piece["rows"] for piece in pieces)
    reasons = sum((Counter(piece["dead"]) for piece in pieces), Counter())
    if written + reasons.total() != read:
        raise RuntimeError(
            f"{read} rows were read, but {written} labelled and {reasons.total()} refused; nothing "
            "was kept. Did a file of the input change?"
        )
    return {
        "rows_read": read,
        "rows_written": written,
        "rows_dead": reasons.total(),
        "dead_letters": dict(sorted(reasons.items())),
    }


def show(result: dict[str, Any]) -> None:
    """Prints the counts for people."""
    print(
        f"{result['rows_read']:,} rows read = {result['rows_written']:,} labelled by "
        f"{result['model_version']} + {result['rows_dead']:,} dead letters, in "
        f"{result['seconds']:.1f} s ({result['rows_per_second']:,.0f} rows/s)"
    )
    for reason, rows in result["dead_letters"].items():
        print(f"  {rows:>9,}  {reason}")
    print(f"{len(result['files'])} files, {result['files'][0]} to {result['files'][-1]}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(BatchOptions, rest="beam")
    return command.run(parser, label_batch, show, argv, "kerasclf batch")


if __name__ == "__main__":
    sys.exit(main())
