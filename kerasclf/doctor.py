"""`kerasclf doctor`: what is wrong with a table, before anything is trained on it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.config import TrainConfig


@dataclass
class DoctorOptions(command.Options):
    """Say what is wrong with a table before it is trained on."""

    file: Annotated[Path | None, tyro.conf.Positional] = None
    """Table of texts and labels (CSV, TSV, JSONL, Parquet)."""
    dataset: str | None = None
    """A data set by name, instead of a file."""
    text_column: str = "text"
    """Column with the texts."""
    label_column: str = "label"
    """Column with the labels."""
    group_column: str | None = None
    """Column that names rows which belong together (an author, a thread)."""
    encoding: str = "utf-8"
    """Encoding of CSV, TSV and JSONL."""
    max_bytes: int = 256
    """Texts with more UTF-8 bytes count as truncated."""


def examine_options(options: DoctorOptions) -> dict[str, Any]:
    """Examines the table that the options name."""
    from kerasclf.job.prepare import examine_data

    shared = {field.name for field in fields(TrainConfig)} & set(vars(options))
    config = TrainConfig(data=options.file, **{name: getattr(options, name) for name in shared})
    config.check()
    return examine_data(config.resolved())[2]


def show(findings: dict[str, Any]) -> None:
    """Prints the findings for people."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    plain = Table(box=box.SIMPLE, show_header=False)
    for name, value in (findings["source"] | findings).items():
        if isinstance(value, int | float | str):
            plain.add_row(name.replace("_", " "), str(value))
    for reason, count in findings["rows_dropped"].items():
        plain.add_row(f"dropped: {reason}", str(count))
    console.print(plain)
    classes = Table("class", "rows", "share", box=box.SIMPLE)
    for label, count in findings["class_counts"].items():
        classes.add_row(label, str(count), f"{count / findings['rows_kept']:.1%}")
    console.print(classes)
    for line in findings["warnings"]:
        console.print(f"warning: {line}", soft_wrap=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(
        command.parser(DoctorOptions), examine_options, show, argv, "kerasclf doctor"
    )


if __name__ == "__main__":
    sys.exit(main())
