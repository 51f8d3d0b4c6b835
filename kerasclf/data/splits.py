"""Train, validation and test rows that share no message: stratified, grouped, seeded, reusable."""

from hashlib import blake2b

import numpy as np
import pandas as pd

from kerasclf.data.examples import SPLITS, Examples
from kerasclf.errors import UserError

COLUMNS = ["row", "text_hash", "label", "group", "split"]


def hash_text(text: str) -> str:
    """A short name of a text: 128-bit BLAKE2b, hexadecimal."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def split_examples(
    examples: Examples,
    groups: np.ndarray,
    validation_share: float,
    test_share: float,
    seed: int,
    locked: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Assigns each row to a split so that no group straddles splits.

    Splits that the data brings along, or that a former run locked, are kept. Rows of training or
    validation that belong to a group of measured rows are then dropped (split ""), never the
    measured rows. What is missing is cut from the training rows.

    Args:
        examples: n labelled rows.
        groups: int64 [n], rows that must stay together share a number.
        validation_share: share of all rows, between 0 and 1.
        test_share: share of all rows, between 0 and 1.
        seed: of the order in which groups are dealt.
        locked: the split of a former run, whose test rows must all be here.

    Returns:
        Frame with columns row, text_hash, label, group and split, in the order of the rows.

    Raises:
        UserError: a split would lack a class, or locked test rows are missing.
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
    shares = {"validation": validation_share, "test": test_share}
    wanted = {name: share for name, share in shares.items() if not (split == name).any()}
    if not (split != "").any() or wanted:
        free = (split == "") | (split == "train")
        split[free] = "train"
        _drop_leaks(split, groups)
        free = split == "train"
        total = np.count_nonzero(split != "")
        split[free] = deal(
            examples.classes.to_numpy()[free],
            groups[free],
            {name: share * total / free.sum() for name, share in wanted.items()},
            seed,
        )
    else:
        split[split == ""] = "train"
    _drop_leaks(split, groups)
    frame["split"] = split
    _check_classes(frame, examples)
    return frame


def deal(
    classes: np.ndarray, groups: np.ndarray, shares: dict[str, float], seed: int
) -> np.ndarray:
    """Deals groups to splits, each to the split that lacks most of its classes.

    Groups go from the largest to the smallest, in random order among equals: large ones need the
    room, and those of one row (nearly all) then fill every class of every split to within a row.

    Args:
        classes: int [n], class ids.
        groups: int [n].
        shares: share of the rows for validation and test; the rest is train.
        seed: of the random order.

    Returns:
        object [n], names of splits.
    """
    names = ["train", *shares]
    fractions = np.array([1 - sum(shares.values()), *shares.values()])
    number = np.unique(groups, return_inverse=True)[1]
    counts = np.zeros((number.max() + 1, classes.max() + 1))
    np.add.at(counts, (number, classes), 1)
    wanted = fractions[:, None] * counts.sum(axis=0)
    room = wanted.copy()
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts.sum(axis=1)[order], kind="stable")]
    weights = 1 / np.maximum(wanted, 1e-9)
    chosen = np.empty(len(counts), dtype=np.int64)
    for group in order:
        present = np.flatnonzero(counts[group])
        need = (room[:, present] * weights[:, present]) @ counts[group, present]
        chosen[group] = split = int(np.argmax(need))
        room[split, present] -= counts[group, present]
    return np.array(names, dtype=object)[chosen[number]]


def _locked_splits(frame: pd.DataFrame, locked: pd.DataFrame) -> pd.Series:
    """The former run's split of each row it knew; "" for rows it did not."""
    known = locked[locked["split"] != ""].set_index(["text_hash", "label"])["split"]
    here = pd.MultiIndex.from_frame(frame[["text_hash", "label"]])
    test = known[known == "test"].index
    missing = len(test.difference(here))
    if missing:
        raise UserError(
            f"--split: {missing} of the {len(test)} locked test rows are not in this data; give "
            "the data that the run was made from (rows may be added, not removed)"
        )
    return pd.Series(known.reindex(here).fillna("").to_numpy(), index=frame.index)


def _drop_leaks(split: np.ndarray, groups: np.ndarray) -> None:
    """Empties the split of rows whose group is in a split that is measured later."""
    test = np.unique(groups[split == "test"])
    split[(split != "test") & np.isin(groups, test)] = ""
    validation = np.unique(groups[split == "validation"])
    split[(split == "train") & np.isin(groups, validation)] = ""


def _check_classes(frame: pd.DataFrame, examples: Examples) -> None:
    for name in SPLITS:
        absent = set(examples.labels) - set(frame.loc[frame["split"] == name, "label"])
        if absent:
            raise UserError(
                f"{examples.name}: no row of class {min(absent)!r} is left for {name}, since its "
                "rows are near-duplicates or of one group, or too few; add rows, or leave small "
                "classes out with --min-class-rows 10"
            )
