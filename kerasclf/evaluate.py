"""`kerasclf evaluate`: measure a finished run again, on its test rows or on new data."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError


@dataclass
class EvaluateOptions(command.Options):
    """Measure a finished run, on its own test rows or on a table of new ones."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    data: Path | None = None
    """Table of texts and labels; else the run's own test rows."""
    text_column: str = "text"
    """Column with the texts."""
    label_column: str = "label"
    """Column with the labels."""
    encoding: str = "utf-8"
    """Encoding of CSV, TSV and JSONL."""
    seed: int | None = None
    """Seed of the bootstrap; that of the run if none is given."""


def evaluate_run(options: EvaluateOptions) -> dict[str, Any]:
    """Measures the run on the rows that the options name."""
    import pandas as pd

    from kerasclf.data.tables import as_text, pick_column, read_table
    from kerasclf.files import read_json
    from kerasclf.layout import RunLayout

    if options.run is None:
        raise UserError("no run given; expected a folder such as runs/NAME/1")
    layout = RunLayout.open(options.run)
    if options.data is None:
        rows = pd.read_parquet(layout.predictions, filters=[("split", "==", "test")])
        source = f"test rows of {layout.root}"
    else:
        table = read_table(options.data, options.encoding)
        columns = {
            "text": pick_column(table, options.text_column, options.data, "--text-column"),
            "label": pick_column(table, options.label_column, options.data, "--label-column"),
        }
        rows = pd.DataFrame({name: as_text(values) for name, values in columns.items()})
        source = str(options.data)
    labels = tuple(read_json(layout.labels))
    unknown = rows["label"][~rows["label"].isin(labels)]
    if len(unknown):
        raise UserError(
            f"{source} row {unknown.index[0] + 1} has the label {unknown.iloc[0]!r}; the run knows "
            f"{', '.join(labels)}"
        )
    if options.data is not None:
        _warn_of_known_texts(rows["text"], pd.read_parquet(layout.split))

    with command.quiet_imports():
        from kerasclf.classifier import Classifier
        from kerasclf.evaluation.evaluate import evaluate

    classifier = Classifier.load(layout.root)
    texts = rows["text"].tolist()
    found = evaluate(
        texts,
        rows["label"].map(labels.index).to_numpy(dtype="int64"),
        classifier.logits(texts),
        classifier.decision,
        labels,
        read_json(layout.metrics)["ordered"],
        TrainConfig.from_yaml(layout.config).seed if options.seed is None else options.seed,
    )
    return {"run": str(layout.root), "data": source, **found}


def _warn_of_known_texts(texts: Any, split: Any) -> None:
    """Warns if the run learned from some of the texts that it is now measured on."""
    from kerasclf.data.splits import hash_text

    known = texts.map(hash_text).isin(split["text_hash"][split["split"] == "train"]).sum()
    if known:
        command.warn(f"the run learned from {known} of the {len(texts)} texts: no test of it")


def show(result: dict[str, Any]) -> None:
    """Prints the figures for people."""
    from kerasclf.report.summary import print_measures

    print_measures(result, f"{result['run']} on {result['data']}: {result['rows']} rows")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(
        command.parser(EvaluateOptions), evaluate_run, show, argv, "kerasclf evaluate"
    )


if __name__ == "__main__":
    sys.exit(main())
