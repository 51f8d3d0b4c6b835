"""Predictions for the rows of a table of any length, in constant memory."""

from pathlib import Path
from typing import TYPE_CHECKING

from kerasclf.data.table_writer import TableWriter
from kerasclf.data.tables import FORMATS, as_text, check_table, pick_column, read_chunks
from kerasclf.errors import UserError
from kerasclf.files import check_writable, replacing

if TYPE_CHECKING:
    from rich.progress import Progress

    from kerasclf.classifier import Classifier

CHUNK_ROWS = 8192


def check_prediction_paths(input_path: Path, output_path: Path, encoding: str = "utf-8") -> None:
    """Checks what `predict_table` needs before a model is loaded.

    Args:
        input_path: table to read.
        output_path: table to write.
        encoding: of the input.

    Raises:
        UserError: the input is not a table, or the output cannot be written.
    """
    check_table(input_path, encoding)
    check_writable(output_path)
    if output_path.suffix.lower() not in FORMATS:
        raise UserError(
            f"--output {output_path} ends in {output_path.suffix or 'nothing'!r}; expected one of "
            f"{', '.join(FORMATS)}"
        )


def predict_table(
    classifier: "Classifier",
    input_path: Path,
    output_path: Path,
    text_column: str = "text",
    encoding: str = "utf-8",
) -> int:
    """Predicts the label of each row of a table, and writes the table with the predictions.

    Shows a counter on a terminal. The output appears when all rows are written.

    Args:
        classifier: predicts the labels.
        input_path: table to read (CSV, TSV, JSONL, Parquet).
        output_path: table to write in the format of its suffix: the rows of the input in their
            order, with the columns of the input and those of `Classifier.predict`.
        text_column: column with the texts.
        encoding: of the input if it is CSV, TSV or JSONL.

    Returns:
        The number of rows.

    Raises:
        UserError: the input cannot be read, lacks the column of texts, or already has a column of
            predictions.
    """
    check_prediction_paths(input_path, output_path, encoding)
    rows = 0
    with (
        _make_counter() as counter,
        replacing(output_path) as beside,
        TableWriter(beside, output_path.suffix) as writer,
    ):
        task = counter.add_task("", total=None)
        for chunk in read_chunks(input_path, encoding, CHUNK_ROWS):
            texts = as_text(pick_column(chunk, text_column, input_path, "--text-column"))
            predictions = classifier.predict(texts)
            existing = [column for column in predictions if column in chunk.columns]
            if existing:
                raise UserError(
                    f"{input_path} already has a column {existing[0]!r}, which predictions would "
                    "overwrite; rename it"
                )
            writer.write(chunk.reset_index(drop=True).join(predictions))
            rows += len(chunk)
            counter.update(task, completed=rows)
    return rows


def _make_counter() -> "Progress":
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.completed:,} rows"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
