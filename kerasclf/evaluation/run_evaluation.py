"""Evaluation of a finished run, on its own test rows or on new data."""

from pathlib import Path
from typing import Any

import pandas as pd

from kerasclf.config import TrainConfig
from kerasclf.console import quiet_imports, warn
from kerasclf.data.splits import hash_text
from kerasclf.data.tables import as_text, pick_column, read_table
from kerasclf.errors import UserError
from kerasclf.files import load_record, load_table, read_json
from kerasclf.run.layout import RunLayout


def evaluate_run(
    run: Path | str | None,
    data: Path | None = None,
    text_column: str = "text",
    label_column: str = "label",
    encoding: str = "utf-8",
    seed: int | None = None,
) -> dict[str, Any]:
    """Measures a finished run.

    Args:
        run: folder of the run, or of all runs of a name for the newest.
        data: table of texts and labels; None for the test rows of the run.
        text_column: column of the texts.
        label_column: column of the labels.
        encoding: of a CSV, TSV or JSONL file.
        seed: of the bootstrap; None for the run's.

    Returns:
        "run", "data", and the keys of `evaluate`.

    Raises:
        UserError: there is no such run, or the data cannot be read or has other labels.
    """
    layout = RunLayout.open(run)
    if data is None:
        rows = load_table(layout.predictions, filters=[("split", "==", "test")])
        source = f"test rows of {layout.root}"
    else:
        table = read_table(data, encoding)
        columns = {
            "text": pick_column(table, text_column, data, "--text-column"),
            "label": pick_column(table, label_column, data, "--label-column"),
        }
        rows = pd.DataFrame({name: as_text(values) for name, values in columns.items()})
        source = str(data)
    labels = tuple(read_json(layout.labels))
    unknown = rows["label"][~rows["label"].isin(labels)]
    if len(unknown):
        raise UserError(
            f"{source} row {unknown.index[0] + 1} has the label {unknown.iloc[0]!r}; the run has "
            f"the labels {', '.join(labels)}"
        )
    if data is not None:
        _warn_of_training_texts(rows["text"], load_table(layout.split))

    # TensorFlow takes seconds to import: only after the data has been checked.
    with quiet_imports():
        from kerasclf.classifier import Classifier
        from kerasclf.evaluation.predictions import evaluate

    classifier = Classifier.load(layout.root)
    texts = rows["text"].tolist()
    evaluation = evaluate(
        texts,
        rows["label"].map(labels.index).to_numpy(dtype="int64"),
        classifier.logits(texts),
        classifier.decision,
        labels,
        load_record(layout.metrics)["ordered"],
        TrainConfig.from_yaml(layout.config).seed if seed is None else seed,
    )
    return {"run": str(layout.root), "data": source, **evaluation}


def _warn_of_training_texts(texts: pd.Series, split: pd.DataFrame) -> None:
    """Warns if the run was trained on some of the texts."""
    trained = set(split["text_hash"][split["split"] == "train"])
    known = texts.map(hash_text).isin(trained).sum()
    if known:
        warn(
            f"the run was trained on {known} of the {len(texts)} texts: the result is better than "
            "on new texts"
        )
