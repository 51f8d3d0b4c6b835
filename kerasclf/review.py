"""`kerasclf review`: a page with suspected labels, errors, the review threshold, what to label."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from kerasclf import command
from kerasclf.reviewing.summary import show_suspects
from kerasclf.table_options import TableOptions


@dataclass
class ReviewOptions(TableOptions, command.Options):
    """Write a page on which people check suspected labels and errors, choose a review threshold and
    see what to label next. It opens from disk; its corrections are for kerasclf train
    --corrections."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run, or of all runs of a name for the newest."""
    output: Path | None = None
    """Folder to write; default: review in the folder of the run."""
    folds: int = 5
    """Number of folds; each row is judged by models that were not trained on it."""
    folds_with: Literal["linear", "network"] = "linear"
    """What is trained on the folds: TF-IDF and a linear model, or the whole model of the run."""
    unlabelled: Path | None = None
    """Table of texts without labels, of which those to label next are chosen."""
    text_column: str = "text"
    """Column of these texts."""
    count: int = 500
    """Number of these to choose."""
    batch: int = 50
    """Rows of a batch of these."""


def review(options: ReviewOptions) -> dict[str, Any]:
    """Writes the folder of the review."""
    from kerasclf.reviewing.folder import write_review
    from kerasclf.reviewing.tables import read_texts

    texts = None
    if options.unlabelled is not None:
        texts = read_texts(options.unlabelled, options.text_column, options.reading)
    return write_review(
        options.run,
        options.output,
        options.folds,
        options.folds_with == "network",
        texts,
        options.count,
        options.batch,
    )


def show(result: dict[str, Any]) -> None:
    """Prints where the page is, and how much is on it."""
    show_suspects(result["splits"])
    print(f"errors     {result['errors']:>7,} on validation and test rows")
    if result["label_next"]:
        print(f"label next {result['label_next']:>7,} texts")
    print(f"page       {result['page']}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(ReviewOptions), review, show, argv, "kerasclf review")


if __name__ == "__main__":
    sys.exit(main())
