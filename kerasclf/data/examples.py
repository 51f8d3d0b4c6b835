"""From what the user named to clean labelled rows: read, checked, and each dropped row counted."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pandas as pd

from kerasclf.config import TrainConfig
from kerasclf.data.registry import read_data_set
from kerasclf.data.tables import as_text, pick_column, read_table
from kerasclf.errors import UserError

SPLITS = ("train", "validation", "test")
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
    """Labelled rows, ready to be split.

    Attributes:
        name: what the data is called.
        rows: frame with columns row (int, place in the source's files one after another), text
            (str), label (str), group (str, "" for none) and split ("" where the source has none).
        labels: label names; a label's place is its class id.
        ordered: whether the order of the labels means something.
        source: where the rows came from, with licence and citation where they are known.
        all_rows: the rows as read, before any was dropped (same columns).
        dropped: number of dropped rows by reason.
        small_classes: rows of each class that was left out as too small.
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
    def classes(self) -> pd.Series:
        """Class id of each row, int64."""
        return self.rows["label"].map({name: i for i, name in enumerate(self.labels)})

    def digest(self) -> str:
        """SHA-256 of the kept rows' texts, labels, groups and splits: equal data, equal digest."""
        state = sha256()
        for record in self.rows[["text", "label", "group", "split"]].itertuples(index=False):
            for value in record:
                encoded = value.encode("utf-8", "surrogatepass")
                state.update(len(encoded).to_bytes(8, "little") + encoded)
        return state.hexdigest()


def load_examples(config: TrainConfig) -> Examples:
    """Reads and cleans the data that a configuration names.

    Raises:
        UserError: it cannot be read, or too little is left to train and to measure.
    """
    min_class_rows = config.min_class_rows
    if config.data is None:
        data_set, frame = read_data_set(config.dataset)
        name, order, ordered = data_set.name, data_set.labels, data_set.ordered
        source = {
            "data set": data_set.name,
            "task": data_set.task,
            "from": data_set.home,
            "encoding": data_set.encoding,
            "licence": data_set.licence,
            "citation": data_set.citation,
        }
        if min_class_rows is None:
            min_class_rows = data_set.min_class_rows
    else:
        name, order, ordered = config.data.stem, config.label_order, bool(config.label_order)
        files = (config.data, config.validation, config.test)
        source = {
            "files": ", ".join(str(file) for file in files if file),
            "encoding": config.encoding,
        }
        frame = _read_files(config)
    rows = pd.DataFrame({"row": range(len(frame)), "text": as_text(frame["text"])})
    for column in ("label", "group", "split"):
        rows[column] = as_text(frame[column]) if column in frame else ""
    return clean(rows, name, order, ordered, source, min_class_rows or 0)


def _read_files(config: TrainConfig) -> pd.DataFrame:
    several = bool(config.validation or config.test)
    if several and config.split_column:
        raise UserError("--split-column and --validation/--test exclude each other; give one")
    first = "train" if several else ""
    parts = {first: config.data, "validation": config.validation, "test": config.test}
    frames = [_read_file(path, split, config) for split, path in parts.items() if path]
    return pd.concat(frames, ignore_index=True)


def _read_file(path: Path, split: str, config: TrainConfig) -> pd.DataFrame:
    frame = read_table(path, config.encoding)
    columns = {
        "text": pick_column(frame, config.text_column, path, "--text-column"),
        "label": pick_column(frame, config.label_column, path, "--label-column"),
    }
    if config.group_column:
        columns["group"] = pick_column(frame, config.group_column, path, "--group-column")
    if config.split_column:
        found = as_text(pick_column(frame, config.split_column, path, "--split-column"))
        columns["split"] = found.str.strip().str.lower().map(_SPLIT_NAMES)
        unknown = sorted(set(found[columns["split"].isna()]))
        if unknown:
            raise UserError(
                f"{path} column {config.split_column!r} has {unknown[0]!r}; expected "
                "train, validation or test"
            )
    else:
        columns["split"] = split
    return pd.DataFrame(columns)


def clean(
    rows: pd.DataFrame,
    name: str,
    order: tuple[str, ...],
    ordered: bool,
    source: dict[str, str],
    min_class_rows: int,
) -> Examples:
    """Drops rows that cannot be learned from, and counts them by reason.

    A text that stands twice with the same label is kept once: in the test split if it is there,
    else in validation. Texts with conflicting labels are kept, since which label is wrong is not
    known; they never straddle splits.

    Raises:
        UserError: no usable text or label, fewer than two classes, or a class too small to split.
    """
    all_rows, dropped = rows, Counter()

    def keep(reason: str, mask: pd.Series) -> None:
        nonlocal rows
        if not mask.all():
            dropped[reason] = int((~mask).sum())
        rows = rows[mask]

    keep("no label", rows["label"].str.strip() != "")
    if rows.empty:
        raise UserError(f"{name}: all {len(all_rows)} labels are empty; expected a label a row")
    keep("empty text", rows["text"].str.strip().str.strip("\0\ufeff") != "")
    if rows.empty:
        raise UserError(f"{name}: all {len(all_rows)} texts are empty; expected a text a row")
    measured_first = rows.assign(rank=rows["split"].map({"test": 0, "validation": 1}).fillna(2))
    measured_first = measured_first.sort_values("rank", kind="stable")
    keep("exact duplicate", ~measured_first.duplicated(["text", "label"]).sort_index())
    counts = rows["label"].value_counts()
    small = counts[counts < min_class_rows]
    keep(f"class with fewer than {min_class_rows} rows", ~rows["label"].isin(small.index))
    labels = _label_names(rows["label"], order, name, small.index)
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


def _label_names(labels: pd.Series, order: tuple[str, ...], name: str, small) -> tuple[str, ...]:
    counts = labels.value_counts()
    if len(counts) < 2:
        found = f"only {counts.index[0]!r}" if len(counts) else "none"
        raise UserError(f"{name}: at least two classes are needed, found {found}")
    if counts.iloc[-1] < len(SPLITS):
        raise UserError(
            f"{name}: class {counts.index[-1]!r} has {counts.iloc[-1]} distinct row(s), at least "
            f"{len(SPLITS)} are needed (train, validation, test); add rows, or leave small "
            "classes out with --min-class-rows 10"
        )
    if len(set(order)) != len(order):
        raise UserError(f"{name}: the label order {', '.join(order)} names a label twice")
    unknown = set(counts.index) - set(order) if order else set()
    absent = set(order) - set(counts.index) - set(small)
    if unknown or absent:
        raise UserError(
            f"{name}: the label order {', '.join(order)} does not fit the data: it lacks "
            f"{sorted(unknown) or 'nothing'} and has no rows for {sorted(absent) or 'none'}"
        )
    return tuple(label for label in order if label in counts.index) or tuple(sorted(counts.index))
