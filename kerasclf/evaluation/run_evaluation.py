"""Evaluation of a finished run, on its own test rows or on new data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from kerasclf.config import TrainConfig
from kerasclf.console import quiet_imports, say_status, warn
from kerasclf.data.cells import as_text, is_blank
from kerasclf.data.reading import Reading
from kerasclf.data.sources import SLICE, SOURCE, slice_name
from kerasclf.data.splits import hash_text
from kerasclf.data.tables import pick_column, read_table
from kerasclf.errors import UserError
from kerasclf.files import load_record, load_table
from kerasclf.run.layout import RunLayout

SHOWN = 10
"""Labels that a message names at most."""


def evaluate_run(
    run: Path | str | None,
    data: Path | None = None,
    text_column: str = "text",
    label_column: str = "label",
    reading: Reading | None = None,
    seed: int | None = None,
    source_column: str | None = None,
    slice_columns: Sequence[str] = (),
) -> dict[str, Any]:
    """Measures a finished run.

    Args:
        run: folder of the run, or of all runs of a name for the newest.
        data: table of texts and labels; None for the test rows of the run.
        text_column: column of the texts.
        label_column: column of the labels.
        reading: how the table is read; None for the defaults.
        seed: of the bootstrap; None for the run's.
        source_column: column of where a row comes from; without `data`, that of the run.
        slice_columns: columns whose values are measured one by one; without `data`, the run's.

    Returns:
        "run", "data", "left_out" (number of rows that were not measured, by reason), and the keys
        of `evaluate`.

    Raises:
        UserError: there is no such run, or the data cannot be read or has other labels.
    """
    layout = RunLayout.open(run)
    labels = layout.read_labels()
    left_out: dict[str, int] = {}
    if data is None:
        if source_column or slice_columns:
            raise UserError(
                "--source-column and --slice-column need --data FILE; the test rows of a run have "
                "those that it was trained with"
            )
        rows = load_table(layout.predictions, filters=[("split", "==", "test")])
        source = f"test rows of {layout.root}"
    else:
        table = read_table(data, reading)
        columns = {
            "text": pick_column(table, text_column, data, "--text-column"),
            "label": pick_column(table, label_column, data, "--label-column"),
        }
        if source_column:
            columns[SOURCE] = pick_column(table, source_column, data, "--source-column")
        for column in slice_columns:
            columns[slice_name(column)] = pick_column(table, column, data, "--slice-column")
        rows = pd.DataFrame({name: as_text(values) for name, values in columns.items()})
        source = str(data)
        rows, left_out = _select(rows, labels, source)
        _warn_of_training_texts(rows["text"], load_table(layout.split))

    # TensorFlow takes seconds to import: only after the data has been checked.
    with quiet_imports():
        from kerasclf.classifier import KerasClassifier
        from kerasclf.evaluation.predictions import evaluate
        from kerasclf.evaluation.slices import measure_columns

    classifier = KerasClassifier.load(layout.root)
    texts = rows["text"].tolist()
    class_ids = rows["label"].map(labels.index).to_numpy(dtype="int64")
    say_status(f"labelling {len(texts):,} texts")
    logits = classifier.logits(texts)
    if seed is None:
        seed = TrainConfig.from_yaml(layout.config).seed
    ordered = load_record(layout.metrics)["ordered"]
    evaluation = evaluate(texts, class_ids, logits, classifier.decision, labels, ordered, seed)
    measured = [name for name in rows.columns if name == SOURCE or name.startswith(SLICE)]
    predicted = classifier.decision.decide(logits)
    evaluation |= measure_columns(rows, measured, class_ids, predicted, len(labels), seed)
    return {"run": str(layout.root), "data": source, "left_out": left_out, **evaluation}


def _select(
    rows: pd.DataFrame, labels: tuple[str, ...], source: str
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that can be measured, and the number of the others by reason.

    Raises:
        UserError: there are none.
    """
    unlabelled = rows["label"].map(is_blank)
    blank = ~unlabelled & rows["text"].map(is_blank)
    unknown = ~unlabelled & ~blank & ~rows["label"].isin(labels)
    masks = {"without a label": unlabelled, "without a text": blank, "of an unknown label": unknown}
    left_out = {reason: int(mask.sum()) for reason, mask in masks.items() if mask.any()}
    found = ", ".join(map(repr, sorted(rows["label"][unknown].unique())[:SHOWN]))
    kept = rows[~(unlabelled | blank | unknown)].reset_index(drop=True)
    known = ", ".join(labels[:SHOWN])
    if kept.empty:
        raise UserError(
            f"{source} has no row to measure: {_count(left_out)}; expected texts with the labels "
            f"{known}" + (f", found {found}" if found else "")
        )
    if unknown.any():
        warn(f"{source} has labels that the run does not know: {found}; it knows {known}")
    return kept, left_out


def _warn_of_training_texts(texts: pd.Series, split: pd.DataFrame) -> None:
    """Warns if the run was trained on some of the texts."""
    trained = set(split["text_hash"][split["split"] == "train"])
    known = texts.map(hash_text).isin(trained).sum()
    if known:
        warn(
            f"the run was trained on {known} of the {len(texts)} texts: the result is better than "
            "on new texts"
        )


def _count(left_out: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in left_out.items())
