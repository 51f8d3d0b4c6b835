"""`kerasclf predict`: predict labels of texts, or of a table, with a run."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError
from kerasclf.table_options import TableOptions


@dataclass
class PredictOptions(TableOptions, command.Options):
    """Predict the labels of texts, or of every row of a table, with a finished run."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run, or of all runs of a name for the newest."""
    texts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Texts to classify."""
    input: Path | None = None
    """Table to classify (CSV, TSV, JSON, Excel, Parquet, Feather, ORC)."""
    output: Path | None = None
    """Table to write: the rows of the input in their order, with the predictions as columns."""
    text_column: str = "text"
    """Column of the texts."""
    prefix: str = ""
    """Put before the names of the columns that are added to the table."""
    safe_csv: bool = False
    """Put an apostrophe before cells of --output that a spreadsheet would run as formulas."""
    keras: bool = False
    """Predict with Keras, even if the run keeps a file for LiteRT."""


def predict(options: PredictOptions) -> dict[str, Any]:
    """Predicts the labels of the texts or of the table."""
    from kerasclf.light import MOST_TEXTS
    from kerasclf.run.layout import RunLayout
    from kerasclf.trained import Classifier

    layout = RunLayout.open(options.run)
    if bool(options.texts) == bool(options.input):
        raise UserError("expected either texts, or --input FILE with --output FILE")
    if options.safe_csv and not options.output:
        raise UserError("--safe-csv is for --output FILE.csv; give --input and --output")
    if bool(options.input) != bool(options.output):
        raise UserError("found only one of --input and --output; give both")
    if options.input and options.output:
        from kerasclf.table_prediction import PredictionTable, predict_table

        table = PredictionTable(
            options.input,
            options.output,
            options.text_column,
            options.reading,
            options.prefix,
            options.safe_csv,
        )
        table.check(list(layout.read_labels()))
        use_keras = options.keras or table.has_more_rows(MOST_TEXTS)
        counts = predict_table(Classifier(layout, use_keras), table)
        return {"output": str(options.output), **counts}
    classifier = Classifier(layout, options.keras)
    # Not as a frame: importing pandas takes longer than predicting.
    rows = zip(options.texts, *(a.tolist() for a in classifier.run_on(options.texts)), strict=True)
    return {
        "predictions": [
            {
                "text": text,
                "predicted_label": classifier.labels[class_id],
                "confidence": probabilities[class_id],
                "review": review,
                "probabilities": dict(zip(classifier.labels, probabilities, strict=True)),
            }
            for text, class_id, review, probabilities in rows
        ]
    }


def show(result: dict[str, Any]) -> None:
    """Prints the predictions, or where they were written."""
    if "output" in result:
        print(f"{result['rows']} rows written to {result['output']}")
        if result["rows_without_text"]:
            print(f"{result['rows_without_text']} of them have no text, and got no label")
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
