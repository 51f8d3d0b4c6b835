"""Rows of given splits that are left out, since they are copies of rows of a later split."""

import pandas as pd

from kerasclf.data.examples import Examples

EARLIER = ("train", "validation")
"""Splits whose rows must not be copies of rows of a later one."""


def find_left_out(examples: Examples, split: pd.DataFrame) -> pd.DataFrame:
    """Finds the training and validation rows that would leak.

    Args:
        examples: n clean rows.
        split: frame of `split_examples`.

    Returns:
        Frame with the columns row, text, label, split (that the row had), copy_of (test or
        validation) and kind (copy or near-copy), by row. It is empty if the data has no splits.
    """
    rows, all_rows = examples.rows, examples.all_rows
    parts = []
    near = rows[((split["split"] == "") & _is_copy(split)).to_numpy()]
    tested = set(split.loc[split["split"] == "test", "group"])
    groups = split.loc[near.index, "group"]
    of_test = [group in tested for group in groups]
    # A row that no file or column had put into a split would have been a training row.
    near = near.assign(split=near["split"].replace("", "train"))
    parts.append(near.assign(copy_of=_names(of_test), kind="near-copy"))
    dropped = all_rows[~all_rows["row"].isin(rows["row"]) & all_rows["split"].isin(EARLIER)]
    kept = rows.set_index(["text", "label"])["split"]
    keys = pd.MultiIndex.from_frame(dropped[["text", "label"]])
    of_split = pd.Series(kept.reindex(keys).to_numpy(), index=dropped.index)
    later = of_split.isin(("validation", "test")) & (of_split != dropped["split"])
    parts.append(dropped[later].assign(copy_of=of_split[later], kind="copy"))
    columns = ["row", "text", "label", "split", "copy_of", "kind"]
    return pd.concat(parts)[columns].sort_values("row", ignore_index=True)


def _is_copy(split: pd.DataFrame) -> pd.Series:
    """Whether a validation or test row is in the group of a row, bool [n]."""
    later = split.loc[split["split"].isin(("validation", "test")), "group"]
    return split["group"].isin(set(later))


def _names(of_test: list[bool]) -> list[str]:
    return ["test" if of_one else "validation" for of_one in of_test]


def describe_splits(examples: Examples, split: pd.DataFrame, left_out: pd.DataFrame) -> list[str]:
    """Warnings of what splits lack, and of the rows that they leave out.

    Args:
        examples: n clean rows.
        split: frame of `split_examples`.
        left_out: frame of `find_left_out`.
    """
    lines = []
    unmeasured = int(((split["split"] == "") & ~_is_copy(split)).sum())
    if unmeasured:
        lines.append(
            f"{unmeasured} validation or test rows are of sources that are not measured, and were "
            "left out"
        )
    for name in ("test", "validation"):
        present = set(split.loc[split["split"] == name, "label"])
        for label in (label for label in examples.labels if label not in present):
            lines.append(
                f"class {label!r} has no {name} row: "
                + (
                    "there is no figure for it, and macro-F1 is the mean over the other classes"
                    if name == "test"
                    else "nothing is chosen for it"
                )
            )
        copies = left_out[left_out["copy_of"] == name]
        if copies.empty:
            continue
        rows = examples.rows[(split["split"] == name).to_numpy()]
        groups = split.loc[rows.index, "group"]
        near = set(split.loc[split["row"].isin(copies["row"]), "group"])
        exact = set(zip(copies["text"], copies["label"], strict=True))
        keys = zip(rows["text"], rows["label"], groups, strict=True)
        hit = sum((text, label) in exact or group in near for text, label, group in keys)
        sources = " and ".join(
            f"{count} {'training' if source == 'train' else source}"
            for source, count in copies["split"].value_counts().sort_index().items()
        )
        lines.append(
            f"{sources} rows are copies or near-copies of {name} rows ({hit / len(rows):.1%} of "
            f"the {name} rows) and were left out"
        )
    return lines
