"""Labelled rows from a data set or from the user's files: read, checked and cleaned."""

import math
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pandas as pd

from kerasclf.config import DEFAULT_DATA_SET, TrainConfig
from kerasclf.data.cells import as_text, is_blank
from kerasclf.data.reading import Reading, find_encoding
from kerasclf.data.registry import read_data_set
from kerasclf.data.sources import check_sources, slice_name
from kerasclf.data.tables import pick_column, read_table
from kerasclf.errors import UserError
from kerasclf.files import table_name

SPLITS = ("train", "validation", "test")
MOST_CLASSES = 3000
"""Confusion matrix and probabilities of more classes would take several GiB."""
SHOWN = 10
"""Labels that a message names at most."""
_SPLIT_NAMES = {
    **{name: name for name in SPLITS},
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "testing": "test",
}


@dataclass(frozen=True)
class Examples:
    """Clean labelled rows, ready to be split.

    Attributes:
        name: name of the data set, or stem of the file.
        rows: frame with columns row (int, row number over the concatenated source files), text
            (str), label (str), group (str, "" for none), split ("" if the data has none), source
            (str, "" for none) and `slice_name` of each `slice_column` (str, "" for none);
            after `examine_data` also near (int, the same for near-duplicates).
        labels: label names; the index of a label is its class id.
        ordered: whether the labels are ordinal.
        source: where the rows came from, with licence and citation if known.
        all_rows: all rows as read, before any were dropped (same columns); of a user's files also
            file (name) and line (int, its place in the file, as of `read_table`).
        dropped: number of dropped rows by reason.
        small_classes: number of rows of each class that was dropped as too small.
    """

    name: str
    rows: pd.DataFrame
    labels: tuple[str, ...]
    ordered: bool
    source: dict[str, str]
    all_rows: pd.DataFrame
    dropped: dict[str, int] = field(default_factory=dict)
    small_classes: dict[str, int] = field(default_factory=dict)

    @property
    def class_ids(self) -> pd.Series:
        """Class id of each row, int64 [n]."""
        return self.rows["label"].map({name: i for i, name in enumerate(self.labels)})

    def digest(self) -> str:
        """SHA-256 of the texts, labels, groups and splits of all rows, hexadecimal."""
        state = sha256()
        for record in self.rows[["text", "label", "group", "split"]].itertuples(index=False):
            for value in record:
                encoded = value.encode("utf-8", "surrogatepass")
                state.update(len(encoded).to_bytes(8, "little") + encoded)
        return state.hexdigest()


def load_examples(config: TrainConfig) -> Examples:
    """Reads and cleans the data that a configuration names.

    Raises:
        UserError: the data cannot be read, or too little is left for training and evaluation.
    """
    min_class_rows = config.min_class_rows
    if config.data is None:
        data_set, frame = read_data_set(config.dataset or DEFAULT_DATA_SET)
        name, label_order, ordered = data_set.name, data_set.labels, data_set.ordered
        source = {
            "data set": data_set.name,
            "task": data_set.task,
            "from": data_set.home,
            "encoding": data_set.encoding,
            "licence": data_set.licence,
            "languages": ", ".join(data_set.languages),
            "citation": data_set.citation,
        }
        if min_class_rows is None:
            min_class_rows = data_set.min_class_rows
    else:
        name, label_order = table_name(config.data), config.label_order
        ordered = bool(label_order)
        files = [file for file in (config.data, config.validation, config.test) if file]
        frame = _read_files(config)
        encodings = {find_encoding(file, config.encoding)[0]: None for file in files}
        # Names alone: findings are published with a model.
        names = ", ".join(file.name for file in files)
        source = {"files": names, "encoding": ", ".join(encodings)}
    rows = pd.DataFrame({"row": range(len(frame)), "text": as_text(frame["text"])})
    slices = map(slice_name, config.slice_column)
    for column in ("label", "group", "split", "source", *slices):
        rows[column] = as_text(frame[column]) if column in frame else ""
    for column in ("file", "line"):
        if column in frame:
            rows[column] = frame[column]
    check_sources(rows["source"], config)
    is_measured = rows["source"].isin(config.measure_on) if config.measure_on else None
    return clean(rows, name, label_order, ordered, source, min_class_rows or 0, is_measured)


def _read_files(config: TrainConfig) -> pd.DataFrame:
    has_split_files = bool(config.validation or config.test)
    if has_split_files and config.split_column:
        raise UserError(
            "found --split-column together with --validation or --test, which exclude each other; "
            "give only one"
        )
    paths = {
        "train" if has_split_files else "": config.data,
        "validation": config.validation,
        "test": config.test,
    }
    frames = [_read_file(path, split, config) for split, path in paths.items() if path]
    return pd.concat(frames, ignore_index=True)


def read_options(config: TrainConfig) -> Reading:
    """How the tables of a configuration are read."""
    return Reading(config.encoding, config.delimiter, config.sheet, config.header)


def _read_file(path: Path, split: str, config: TrainConfig) -> pd.DataFrame:
    frame = read_table(path, read_options(config))
    columns = {
        "text": pick_column(frame, config.text_column, path, "--text-column"),
        "label": pick_column(frame, config.label_column, path, "--label-column"),
    }
    if config.group_column:
        columns["group"] = pick_column(frame, config.group_column, path, "--group-column")
    if config.source_column:
        columns["source"] = pick_column(frame, config.source_column, path, "--source-column")
    for column in config.slice_column:
        columns[slice_name(column)] = pick_column(frame, column, path, "--slice-column")
    if config.split_column:
        names = as_text(pick_column(frame, config.split_column, path, "--split-column"))
        columns["split"] = names.str.strip().str.lower().map(_SPLIT_NAMES)
        unknown = sorted(set(names[columns["split"].isna()]))
        if unknown:
            raise UserError(
                f"{path} column {config.split_column!r} has {unknown[0]!r}; expected "
                "train, validation or test"
            )
    else:
        columns["split"] = pd.Series(split, index=frame.index)
    return pd.DataFrame(columns).assign(file=path.name, line=frame.index)


def clean(
    rows: pd.DataFrame,
    name: str,
    label_order: tuple[str, ...],
    ordered: bool,
    source: dict[str, str],
    min_class_rows: int,
    is_measured: pd.Series | None = None,
) -> Examples:
    """Drops rows without a text or a label, duplicates and small classes, and counts them.

    Of rows with the same text and label, one is kept: one of a measured source if there is one; of
    these, the one in the test split, otherwise in validation, otherwise the first. Texts with
    conflicting labels are kept, since nothing says which label is wrong; near-duplicate groups keep
    them in one split.

    Args:
        rows: frame with the columns of `Examples.rows`.
        name: see `Examples`.
        label_order: all label names, in the order of their class ids; () to sort them, numbers by
            value.
        ordered: see `Examples`.
        source: see `Examples`.
        min_class_rows: classes with fewer distinct rows are dropped.
        is_measured: bool by row, whether its source may be measured; None for all.

    Raises:
        UserError: no text or no label is usable, there are fewer than two classes, a class is too
            small to split, or the label order does not fit the data.
    """
    all_rows = rows
    dropped: Counter[str] = Counter()

    def keep(reason: str, mask: pd.Series) -> None:
        nonlocal rows
        if not mask.all():
            dropped[reason] = int((~mask).sum())
        rows = rows[mask]

    keep("no label", rows["label"].str.strip() != "")
    if rows.empty:
        raise UserError(f"{name}: all {len(all_rows)} labels are empty; expected one label per row")
    keep("empty text", ~rows["text"].map(is_blank))
    if rows.empty:
        raise UserError(f"{name}: all {len(all_rows)} texts are empty; expected one text per row")
    ranked = rows.assign(rank=rows["split"].map({"test": 0, "validation": 1}).fillna(2))
    if is_measured is not None:
        ranked["rank"] += 3 * ~is_measured.reindex(ranked.index)
    ranked = ranked.sort_values("rank", kind="stable")
    keep("exact duplicate", ~ranked.duplicated(["text", "label"]).sort_index())
    counts = rows["label"].value_counts()
    small = counts[counts < min_class_rows]
    keep(f"class with fewer than {min_class_rows} rows", ~rows["label"].isin(small.index))
    # Splits that come with the data need not have every class.
    needed = 1 if rows["split"].isin(SPLITS[1:]).any() else len(SPLITS)
    labels = _order_labels(rows["label"], label_order, name, small.index, needed)
    return Examples(
        name=name,
        rows=rows.reset_index(drop=True),
        labels=labels,
        ordered=ordered,
        source=source,
        all_rows=all_rows,
        dropped=dict(dropped),
        small_classes={str(label): int(count) for label, count in small.items()},
    )


def _order_labels(
    row_labels: pd.Series,
    label_order: tuple[str, ...],
    name: str,
    small_classes: pd.Index,
    needed: int,
) -> tuple[str, ...]:
    """The label names by class id."""
    counts = row_labels.value_counts()
    if len(counts) < 2:
        found = f"only {counts.index[0]!r}" if len(counts) else "none"
        raise UserError(f"{name}: found {found}, expected at least two classes")
    if len(counts) > MOST_CLASSES:
        raise UserError(
            f"{name}: found {len(counts)} classes, such as {row_labels.iloc[0]!r}; expected "
            f"at most {MOST_CLASSES}: check --label-column, or leave out small classes with "
            "--min-class-rows 10"
        )
    if counts.iloc[-1] < needed:
        raise UserError(
            f"{name}: class {counts.index[-1]!r} has {counts.iloc[-1]} distinct row(s), expected "
            f"at least {needed}, one for each split; add rows, or drop small classes with "
            "--min-class-rows 10"
        )
    listed = ", ".join(label_order)
    if len(set(label_order)) != len(label_order):
        raise UserError(f"{name}: --label-order {listed} names a label twice; name each label once")
    unknown = set(counts.index) - set(label_order) if label_order else set()
    absent = set(label_order) - set(counts.index) - set(small_classes)
    if unknown or absent:
        faults = [f"it lacks the label {_quote(unknown)}"] if unknown else []
        faults += [f"no row has the label {_quote(absent)}"] if absent else []
        raise UserError(
            f"{name}: --label-order {listed} does not match the data: {' and '.join(faults)}; name "
            "the labels of the data, each once"
        )
    ordered = tuple(label for label in label_order if label in counts.index)
    return ordered or tuple(sorted(counts.index, key=_by_value))


def _quote(labels: set[str]) -> str:
    """Labels in a message, in quotes: one may be called none."""
    shown = ", ".join(map(repr, sorted(labels)[:SHOWN]))
    return f"{shown} and {len(labels) - SHOWN} more" if len(labels) > SHOWN else shown


def _by_value(label: str) -> tuple[bool, float, str]:
    """Sorts numbers by value, before other labels; these by their characters."""
    try:
        value = float(label)
    except ValueError:
        return True, 0.0, label
    return (False, value, label) if math.isfinite(value) else (True, 0.0, label)
