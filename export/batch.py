"""`kerasclf batch`: label tables of any size, by processes of this machine or by Spark.

Rows that cannot be labelled go to dead-letter files with the reason. No file appears under the
prefix until every row of the input is in one of the new files; `export/scoring/output.py` says what
a crash can leave behind.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from kerasclf import command
from kerasclf.errors import UserError


@dataclass
class BatchOptions(command.Options):
    """Label the rows of tables of any size."""

    model: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run or of a published SavedModel, or of all runs or versions of a name for the
    newest."""
    input: str | None = None
    """Table, or a pattern such as 'posts/*.jsonl' of tables with the same columns (CSV, TSV,
    JSONL, Parquet; UTF-8)."""
    output: str | None = None
    """Prefix of the files to write: PREFIX-00000-of-00004.parquet."""
    text_column: str = "text"
    """Column of the texts."""
    header: bool = True
    """Whether the first row of CSV and TSV names the columns; else their names are their numbers,
    from 1."""
    prefix: str = ""
    """Put before the names of the columns that are added."""
    overwrite: bool = False
    """Replace existing files of that prefix once the new ones are complete."""
    workers: int | None = None
    """Number of processes, each with its own model; default: one per processor."""
    engine: Literal["local", "spark"] = "local"
    """Processes of this machine, or Apache Spark, whose --output is a folder."""
    master: str | None = None
    """With --engine spark: its master, such as spark://HOST:7077; default: this machine."""


def label_batch(options: BatchOptions) -> dict[str, Any]:
    """Labels the given files."""
    if options.model is None or options.input is None or options.output is None:
        raise UserError("give a run or SavedModel, --input PATTERN and --output PREFIX")
    if options.workers is not None and options.workers < 1:
        raise UserError(f"--workers is {options.workers}; expected at least 1")
    if options.engine == "local" and options.master is not None:
        raise UserError(f"--master is {options.master}; give --engine spark as well")
    if options.engine == "spark" and options.workers is not None:
        raise UserError("--workers is for --engine local; Spark has its own")
    files = (options.model, options.input, options.output, options.text_column, options.overwrite)
    if options.engine == "spark":
        from export.scoring.spark_job import label_on_spark

        master = options.master or "local[*]"
        result = label_on_spark(*files, master, options.header, options.prefix)
    else:
        from export.scoring.batch import label_files

        result = label_files(*files, options.workers, options.header, options.prefix)
    return {
        "model": result.model,
        "model_version": result.model_version,
        **asdict(result.counts),
        "seconds": result.seconds,
        "rows_per_second": result.rows_per_second,
        "files": result.files,
    }


def show(result: dict[str, Any]) -> None:
    """Prints the counts."""
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
    parser = command.parser(BatchOptions)
    return command.run(parser, label_batch, show, argv, "kerasclf batch")


if __name__ == "__main__":
    sys.exit(main())
