"""Train, validation and test splits: stratified, grouped, seeded, and reusable across runs."""

from hashlib import blake2b

import numpy as np
import pandas as pd

from kerasclf.data.examples import SPLITS, Examples
from kerasclf.errors import UserError

SHOWN = 10
"""Labels that a message names at most."""
COLUMNS = ["row", "text_hash", "label", "group", "split"]


def hash_text(text: str) -> str:
    """The 128-bit BLAKE2b hash of a text, hexadecimal."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def split_examples(
    examples: Examples,
    groups: np.ndarray,
    validation_share: float,
    test_share: float,
    seed: int,
    locked: pd.DataFrame | None = None,
    is_measured: np.ndarray | None = None,
) -> pd.DataFrame:
    """Assigns each row to a split so that no group straddles two splits.

    Splits that come with the data, or that a previous run locked, are kept. Training and validation
    rows whose group also has test rows, and training rows whose group also has validation rows, are
    dropped (split ""). Missing validation and test splits are taken from the training rows.

    If only some rows are measured, only these are in validation and test, and shares are those of
    these rows. The others are training rows, or dropped where the data or the previous run has
    them in validation or test.

    Args:
        examples: n labelled rows.
        groups: int64 [n], group numbers; rows of a group stay together.
        validation_share: share of all rows, between 0 and 1.
        test_share: share of all rows, between 0 and 1.
        seed: of the order in which groups are assigned.
        locked: frame that this function returned for a previous run; all its test rows must be
            among the rows.
        is_measured: bool [n], whether a row may be in validation or test; None for all.

    Returns:
        Frame of n rows with columns row, text_hash, label, group and split.

    Raises:
        UserError: there is no training row of a class, a class is too small to split, or locked
            test rows are missing.
    """
    rows = examples.rows
    frame = pd.DataFrame(
        {
            "row": rows["row"],
            "text_hash": rows["text"].map(hash_text),
            "label": rows["label"],
            "group": groups,
            "split": rows["split"] if locked is None else "",
        }
    )
    if locked is not None:
        frame["split"] = _locked_splits(frame, locked)
    split = frame["split"].to_numpy(dtype=object, copy=True)
    measured = np.ones(len(frame), dtype=bool) if is_measured is None else is_measured
    split[~measured & np.isin(split, SPLITS[1:])] = ""
    # What is dropped here must not become a training row below.
    dropped = ~measured & frame["split"].isin(SPLITS[1:]).to_numpy()
    shares = {"validation": validation_share, "test": test_share}
    absent = {name: share for name, share in shares.items() if not (split == name).any()}
    if not (split != "").any() or absent:
        split[((split == "") | (split == "train")) & ~dropped] = "train"
        _drop_leaks(split, groups)
        free = (split == "train") & measured
        total = np.count_nonzero((split != "") & measured)
        split[free] = assign_groups(
            examples.class_ids.to_numpy()[free],
            groups[free],
            {name: share * total / free.sum() for name, share in absent.items()},
            seed,
        )
    else:
        split[(split == "") & ~dropped] = "train"
    _drop_leaks(split, groups)
    frame["split"] = split
    # A class that the measured sources lack is missing by the user's choice.
    given = set(shares) if is_measured is not None else set(shares) - set(absent)
    _check_classes(frame, examples, given)
    return frame


def assign_groups(
    class_ids: np.ndarray, groups: np.ndarray, shares: dict[str, float], seed: int
) -> np.ndarray:
    """Assigns each group to the split that lacks most rows of the classes of the group.

    Groups are taken from the largest to the smallest, and in random order among equal sizes. Large
    groups are placed while there is room; groups of one row, which most are, then fill each class
    of each split to within one row.

    Args:
        class_ids: int [n].
        groups: int [n], group numbers.
        shares: share of the rows of each split but train, which gets the rest.
        seed: of the random order.

    Returns:
        object [n], names of splits.
    """
    names = ["train", *shares]
    fractions = np.array([1 - sum(shares.values()), *shares.values()])
    number = np.unique(groups, return_inverse=True)[1]
    counts = np.zeros((number.max() + 1, class_ids.max() + 1))
    np.add.at(counts, (number, class_ids), 1)
    quotas = fractions[:, None] * counts.sum(axis=0)
    room = quotas.copy()
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts.sum(axis=1)[order], kind="stable")]
    weights = 1 / np.maximum(quotas, 1e-9)
    split_of_group = np.empty(len(counts), dtype=np.int64)
    for group in order:
        present = np.flatnonzero(counts[group])
        need = (room[:, present] * weights[:, present]) @ counts[group, present]
        split_of_group[group] = split = int(np.argmax(need))
        room[split, present] -= counts[group, present]
    return np.array(names, dtype=object)[split_of_group[number]]


def _locked_splits(frame: pd.DataFrame, locked: pd.DataFrame) -> pd.Series:
    """The split of each row in the previous run; "" for rows that it did not have."""
    previous = locked[locked["split"] != ""].set_index(["text_hash", "label"])["split"]
    keys = pd.MultiIndex.from_frame(frame[["text_hash", "label"]])
    test = previous[previous == "test"].index
    missing = len(test.difference(keys))
    if missing:
        raise UserError(
            f"--split: {missing} of the {len(test)} locked test rows are not in this data; give "
            "the data of that run (rows may be added, not removed)"
        )
    return pd.Series(previous.reindex(keys).fillna("").to_numpy(), index=frame.index)


def _drop_leaks(split: np.ndarray, groups: np.ndarray) -> None:
    """Clears the split of rows whose group also has rows in a later split."""
    test = np.unique(groups[split == "test"])
    split[(split != "test") & np.isin(groups, test)] = ""
    validation = np.unique(groups[split == "validation"])
    split[(split == "train") & np.isin(groups, validation)] = ""


def _check_classes(frame: pd.DataFrame, examples: Examples, given: set[str]) -> None:
    """Checks that each split has rows of every class; validation and test, if they were made here.

    Args:
        frame: the split.
        examples: the rows.
        given: validation and test, as far as they came with the data.
    """
    for name in SPLITS:
        present = set(frame.loc[frame["split"] == name, "label"])
        lacking = [label for label in examples.labels if label not in present]
        if not lacking or name in given:
            continue
        rows = frame[frame["label"] == lacking[0]]
        has_splits = (examples.rows["split"] != "").any()
        if has_splits and not (examples.rows.loc[rows.index, "split"] == "train").any():
            sets = (
                f"{split} has {', '.join(map(repr, labels[:SHOWN]))}"
                for split, labels in _labels_by_split(examples).items()
            )
            raise UserError(
                f"{examples.name}: class {lacking[0]!r} has no training row; {'; '.join(sets)}: "
                "label the splits alike, or drop the rows of that class"
            )
        copies = int((rows["split"] == "").sum())
        raise UserError(
            f"{examples.name}: no row of class {lacking[0]!r} is left for the {name} split: its "
            f"{len(rows)} row(s) form {rows['group'].nunique()} group(s) of near-duplicates or of "
            "one author, which stay together"
            + (f", and {copies} are copies of rows of another split" if copies else "")
            + f"; add rows, or drop the class with --min-class-rows {len(rows) + 1}"
        )


def _labels_by_split(examples: Examples) -> dict[str, list[str]]:
    """The labels of each split that came with the data."""
    labels = examples.rows.groupby("split")["label"].unique()
    return {split: sorted(labels[split]) for split in SPLITS if split in labels.index}
