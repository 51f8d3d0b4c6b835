"""Predictions for the rows of a table of any length, in constant memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasclf.data.cells import as_text, is_blank
from kerasclf.data.header import SEPARATORS
from kerasclf.data.reading import Reading
from kerasclf.data.safe_csv import make_safe
from kerasclf.data.table_writer import WRITTEN, TableWriter
from kerasclf.data.tables import check_table, find_column, pick_column, read_chunks
from kerasclf.errors import UserError
from kerasclf.files import check_writable, replacing
from kerasclf.prediction import Predictor, check_names_are_free, name_columns

if TYPE_CHECKING:
    from rich.progress import Progress


CHUNK_ROWS = 8192


@dataclass(frozen=True)
class PredictionTable:
    """A table to predict, and where the predictions go.

    Attributes:
        input: table to read.
        output: table to write in the format of its suffix: the rows of the input in their order,
            with the columns of the input and those of `Classifier.predict`.
        text_column: column with the texts.
        reading: how the input is read.
        prefix: put before the names of the added columns.
        safe: whether cells that a spreadsheet would take for formulas begin with an apostrophe.
    """

    input: Path
    output: Path
    text_column: str = "text"
    reading: Reading = field(default_factory=Reading)
    prefix: str = ""
    safe: bool = False

    def check(self, labels: Sequence[str]) -> None:
        """Checks all that can be checked before a model is loaded.

        Args:
            labels: labels of the model.

        Raises:
            UserError: the input cannot be read, lacks the column of texts or has one of the added
                columns, or the output cannot be written.
        """
        check_table(self.input, self.reading)
        check_writable(self.output)
        if self.output.suffix.lower() not in WRITTEN:
            raise UserError(
                f"--output {self.output} ends in {self.output.suffix or 'nothing'!r}; expected one "
                f"of {', '.join(WRITTEN)}"
            )
        if self.safe and self.output.suffix.lower() not in SEPARATORS:
            raise UserError(f"--safe-csv is for CSV and TSV; --output is {self.output}")
        first = next(self.read_chunks(1))
        pick_column(first, self.text_column, self.input, "--text-column")
        added = [self.prefix + name for name in name_columns(labels)]
        check_names_are_free(str(self.input), first.columns, added)

    def has_more_rows(self, rows: int) -> bool:
        """Whether the input has more than `rows` rows."""
        counts = accumulate(len(chunk) for chunk in self.read_chunks(CHUNK_ROWS))
        return any(count > rows for count in counts)

    def read_chunks(self, rows: int) -> Iterator[pd.DataFrame]:
        """The input in chunks of at most `rows` rows."""
        return read_chunks(self.input, self.reading, rows)


def predict_table(classifier: Predictor, table: PredictionTable) -> dict[str, int]:
    """Predicts the label of each row of a table, and writes the table with the predictions.

    The predictions of a row without a text are empty. Shows a counter on a terminal. The output
    appears when all rows are written.

    Args:
        classifier: predicts the labels.
        table: a table that was checked.

    Returns:
        "rows", and "rows_without_text", how many of them have none.

    Raises:
        UserError: the input cannot be read.
    """
    rows = without_text = 0
    with (
        _make_counter() as counter,
        replacing(table.output) as beside,
        TableWriter(beside, table.output.suffix) as writer,
    ):
        task = counter.add_task("", total=None)
        for chunk in table.read_chunks(CHUNK_ROWS):
            column = find_column(chunk, table.text_column, table.input, "--text-column")
            texts = as_text(chunk[column])
            has_text = ~texts.map(is_blank).to_numpy(dtype=bool)
            predictions = classifier.predict(texts[has_text])
            predictions.index = pd.Index(np.flatnonzero(has_text))
            predictions = predictions.reindex(range(len(chunk))).add_prefix(table.prefix)
            # True and False stay so beside empty cells.
            flag = f"{table.prefix}review"
            predictions[flag] = predictions[flag].astype("boolean")
            labelled = chunk.reset_index(drop=True).join(predictions)
            writer.write(make_safe(labelled) if table.safe else labelled)
            rows += len(chunk)
            without_text += int((~has_text).sum())
            counter.update(task, completed=rows)
    return {"rows": rows, "rows_without_text": without_text}


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
