"""`kerasclf doctor`: check a table for problems before training on it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.config import ResolvedInt, TrainConfig, option
from kerasclf.table_options import TableOptions


@dataclass
class DoctorOptions(TableOptions, command.Options):
    """Check a table for duplicates, conflicting labels and other problems before training on it."""

    file: Annotated[Path | None, tyro.conf.Positional] = None
    """Table of texts and labels (CSV, TSV, JSON, Excel, Parquet, Feather, ORC)."""
    dataset: str | None = None
    """Name of a data set (see `kerasclf datasets`), instead of a file."""
    text_column: str = "text"
    """Column of the texts."""
    label_column: str = "label"
    """Column of the labels."""
    group_column: str | None = None
    """Column of groups, such as authors or threads, that must not straddle splits."""
    source_column: str | None = None
    """Column of where a row comes from, such as manual or synthetic."""
    slice_column: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """Column whose values are measured one by one; may be repeated."""
    problems: Path | None = None
    """CSV to write: dropped rows, conflicting labels and near-duplicates, with their numbers."""
    max_bytes: ResolvedInt = option(None)
    """Texts with more UTF-8 bytes count as truncated; default: the width of `kerasclf train`."""


def examine_options(options: DoctorOptions) -> dict[str, Any]:
    """Examines the table or data set."""
    from kerasclf.files import check_writable
    from kerasclf.job.examination import examine_table

    if options.problems:
        check_writable(options.problems)
    config = TrainConfig(
        data=options.file,
        dataset=options.dataset,
        text_column=options.text_column,
        label_column=options.label_column,
        group_column=options.group_column,
        source_column=options.source_column,
        slice_column=options.slice_column,
        encoding=options.encoding,
        delimiter=options.delimiter,
        sheet=options.sheet,
        header=options.header,
        max_bytes=options.max_bytes,
    )
    config.check()
    return examine_table(config.resolved(), options.problems)


def show(findings: dict[str, Any]) -> None:
    """Prints the findings."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from kerasclf.report.terminal import print_provenance, print_sources
    from kerasclf.report.wording import describe_novelty

    console = Console(highlight=False, markup=False)
    summary = Table(box=box.SIMPLE, show_header=False)
    for name, value in (findings["source"] | findings).items():
        if isinstance(value, int | float | str):
            summary.add_row(name.replace("_", " "), str(value))
    for reason, count in findings["rows_dropped"].items():
        summary.add_row(f"dropped: {reason}", str(count))
    console.print(summary)
    classes = Table("class", "rows", "share", box=box.SIMPLE)
    for label, count in findings["class_counts"].items():
        classes.add_row(label, str(count), f"{count / findings['rows_kept']:.1%}")
    console.print(classes)
    if "sources" in findings:
        print_provenance(console, findings["sources"])
    print_sources(console, findings)
    if "novelty" in findings:
        console.print(f"novelty: {describe_novelty(findings['novelty'])}", soft_wrap=True)
    for line in findings["warnings"]:
        console.print(f"warning: {line}", soft_wrap=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(
        command.parser(DoctorOptions), examine_options, show, argv, "kerasclf doctor"
    )


if __name__ == "__main__":
    sys.exit(main())
