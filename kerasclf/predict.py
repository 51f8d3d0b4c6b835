"""`kerasclf predict`: label texts, or a table of any length in constant memory."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError

CHUNK_ROWS = 8192


@dataclass
class PredictOptions(command.Options):
    """Label texts, or every row of a table, with a finished run."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    texts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Texts to label."""
    input: Path | None = None
    """Table whose rows to label (CSV, TSV, JSONL, Parquet)."""
    output: Path | None = None
    """Table to write: the columns of the input and the predictions, in the same order."""
    text_column: str = "text"
    """Column with the texts."""
    encoding: str = "utf-8"
    """Encoding of CSV, TSV and JSONL."""


def predict(options: PredictOptions) -> dict[str, Any]:
    """Labels what the options name."""
    from kerasclf.data.tables import FORMATS, check_table
    from kerasclf.files import check_writable
    from kerasclf.layout import RunLayout

    if options.run is None:
        raise UserError("no run given; expected a folder such as runs/NAME/1")
    if bool(options.texts) == bool(options.input):
        raise UserError("give either texts, or --input FILE with --output FILE")
    if bool(options.input) != bool(options.output):
        raise UserError("--input and --output go together; give both")
    RunLayout.open(options.run)
    if options.input:
        check_table(options.input, options.encoding)
        check_writable(options.output)
        if options.output.suffix.lower() not in FORMATS:
            raise UserError(
                f"--output {options.output}: expected one of {', '.join(FORMATS)} as its ending"
            )

    with command.quiet_imports():
        from kerasclf.classifier import Classifier

    classifier = Classifier.load(options.run)
    if options.input:
        return {"output": str(options.output), "rows": _predict_table(classifier, options)}
    predicted = classifier.predict(options.texts)
    columns = [f"p_{label}" for label in classifier.labels]
    return {
        "predictions": [
            {
                "text": text,
                "predicted_label": row["predicted_label"],
                "confidence": row["confidence"],
                "review": row["review"],
                "probabilities": dict(
                    zip(classifier.labels, (row[column] for column in columns), strict=True)
                ),
            }
            for text, row in zip(options.texts, predicted.to_dict("records"), strict=True)
        ]
    }


def _predict_table(classifier: Any, options: PredictOptions) -> int:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    from kerasclf.data.tables import TableWriter, as_text, pick_column, read_chunks
    from kerasclf.files import replacing

    console = Console(stderr=True)
    moving = Progress(
        SpinnerColumn(),
        TextColumn("{task.completed:,} rows"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    rows = 0
    with (
        moving,
        replacing(options.output) as beside,
        TableWriter(beside, options.output.suffix) as writer,
    ):
        task = moving.add_task("", total=None)
        for chunk in read_chunks(options.input, options.encoding, CHUNK_ROWS):
            texts = as_text(pick_column(chunk, options.text_column, options.input, "--text-column"))
            predicted = classifier.predict(texts)
            taken = [column for column in predicted if column in chunk.columns]
            if taken:
                raise UserError(
                    f"{options.input} already has the column {taken[0]!r}; rename it there"
                )
            writer.write(chunk.reset_index(drop=True).join(predicted))
            rows += len(chunk)
            moving.update(task, completed=rows)
    return rows


def show(result: dict[str, Any]) -> None:
    """Prints the labels for people."""
    if "output" in result:
        print(f"{result['rows']} rows written to {result['output']}")
        return
    for entry in result["predictions"]:
        flag = "  review" if entry["review"] else ""
        print(
            f"{entry['predicted_label']}  {entry['confidence']:.3f}{flag}  {entry['text']!r:.120}"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(PredictOptions), predict, show, argv, "kerasclf predict")


if __name__ == "__main__":
    sys.exit(main())
