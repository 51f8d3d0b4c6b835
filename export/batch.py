"""`kerasclf batch`: label tables of any size on Apache Beam.

Rows that cannot be labelled go to dead-letter files with the reason. No file appears under the
prefix until every row of the input is in one of the new files; `export/scoring/output.py` says what
a crash can leave behind.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command, console
from kerasclf.errors import UserError
from kerasclf.extras import check_installed


@dataclass
class BatchOptions(command.Options):
    """Label the rows of tables on Apache Beam; all other options are passed to Beam."""

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
    beam: tyro.conf.Suppress[tuple[str, ...]] = ()


def label_batch(options: BatchOptions) -> dict[str, Any]:
    """Labels the given files."""
    if options.model is None or options.input is None or options.output is None:
        raise UserError(
            "give --input PATTERN, --output PREFIX and a run or SavedModel, before Beam's options"
        )
    check_installed("apache_beam", "apache-beam", "beam")
    # Beam warns on import if Google's client libraries are not installed.
    with console.quiet_imports("Beam"):
        from export.scoring.batch import label_files

    result = label_files(
        options.model,
        options.input,
        options.output,
        options.text_column,
        options.overwrite,
        options.beam,
        options.header,
        options.prefix,
    )
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
    parser = command.parser(BatchOptions, rest="beam")
    return command.run(parser, label_batch, show, argv, "kerasclf batch")


if __name__ == "__main__":
    sys.exit(main())
