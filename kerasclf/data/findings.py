"""The doctor's findings: data statistics and problems that would harm training or evaluation."""

import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from kerasclf.data.duplicates import normalize
from kerasclf.data.examples import Examples

MAX_EXAMPLES = 5
TEMPLATE_SHARE = 0.05
"""Share of rows with a template above which splits should respect templates."""


def examine(
    examples: Examples,
    groups: np.ndarray,
    templates: np.ndarray,
    test_share: float,
) -> dict[str, Any]:
    """Examines the data before it is split.

    Args:
        examples: n clean rows, and all rows as read.
        groups: int64 [n], near-duplicate groups of the clean rows, without those of a column.
        templates: int64 [n], what `find_templates` returns for them.
        test_share: share of the rows that a naive random split would use for testing.

    Returns:
        JSON-serializable findings; "warnings" is a list of messages.
    """
    all_rows, rows = examples.all_rows, examples.rows
    lengths = rows["text"].map(lambda text: len(text.encode("utf-8")))
    counts = rows["label"].value_counts()
    sizes = np.bincount(groups)
    conflicts = _find_conflicts(rows)
    findings: dict[str, Any] = {
        "source": examples.source,
        "sha256": examples.digest(),
        "rows_read": len(all_rows),
        "rows_kept": len(rows),
        "rows_dropped": examples.dropped,
        "small_classes": examples.small_classes,
        "class_counts": {label: int(counts[label]) for label in examples.labels},
        "imbalance_ratio": round(float(counts.iloc[0] / counts.iloc[-1]), 2),
        "bytes": {
            "median": int(lengths.median()),
            "p95": int(lengths.quantile(0.95)),
            "max": int(lengths.max()),
        },
        "near_duplicate_groups": int((sizes > 1).sum()),
        "near_duplicate_rows": int(sizes[sizes > 1].sum()),
        "largest_group": int(sizes.max()),
        "templates": _describe_templates(rows["text"], groups, templates),
        "conflicting_texts": len(conflicts),
        "conflict_examples": conflicts[:MAX_EXAMPLES],
        "lost_classes": sorted(
            set(all_rows["label"]) - {""} - set(examples.labels) - set(examples.small_classes)
        ),
        "labels_that_look_alike": _find_similar_labels(all_rows["label"]),
        "naive_split_leak": naive_leak(all_rows, rows, groups, test_share),
    }
    if (all_rows["group"] != "").any():
        findings["naive_split_group_mates"] = share_with_mates(all_rows["group"], test_share)
    has_splits = bool((rows["split"] != "").any())
    findings["warnings"] = _make_warnings(findings, has_splits)
    return findings


def naive_leak(
    all_rows: pd.DataFrame, rows: pd.DataFrame, groups: np.ndarray, test_share: float
) -> float:
    """Expected share of test rows with a near-duplicate in training under a naive random split.

    All other rows of a group of g rows fall into the test split with probability t^(g-1), where t
    is the test share. Exact duplicates that were dropped are counted, too.

    Args:
        all_rows: the rows as read.
        rows: n clean rows.
        groups: int64 [n], their near-duplicate groups.
        test_share: t, between 0 and 1.
    """
    group_of = dict(zip(rows["text"], groups, strict=True))
    all_groups = all_rows["text"].map(group_of).dropna().astype(np.int64)
    return _share_with_mates(np.bincount(all_groups)[all_groups], test_share)


def share_with_mates(groups: pd.Series, test_share: float) -> float:
    """Expected share of test rows with a row of their group in training, under a random split.

    Args:
        groups: name of the group of each row, "" for none.
        test_share: t, between 0 and 1.
    """
    sizes = groups.map(groups.value_counts()).where(groups != "", 1)
    return _share_with_mates(sizes.to_numpy(), test_share)


def _share_with_mates(sizes: np.ndarray, test_share: float) -> float:
    return round(float(np.mean(1 - test_share ** (sizes - 1.0))), 4)


def _describe_templates(
    texts: pd.Series, groups: np.ndarray, templates: np.ndarray
) -> dict[str, Any]:
    """Counts and examples of templates whose rows are not near-duplicates anyway."""
    frame = pd.DataFrame({"text": texts.to_numpy(), "group": groups, "template": templates})
    several = frame.groupby("template")["group"].transform("nunique") > 1
    sizes = frame["template"][several].value_counts()
    largest = sizes.index[:MAX_EXAMPLES]
    return {
        "templates": len(sizes),
        "rows": int(sizes.sum()),
        "largest": int(sizes.iloc[0]) if len(sizes) else 0,
        "examples": [
            frame.loc[frame["template"] == number, "text"].str[:200].tolist()[:MAX_EXAMPLES]
            for number in largest
        ],
    }


def _find_conflicts(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Texts that are equal after `normalize` and have more than one label."""
    normalized = rows["text"].map(normalize)
    labels_by_text = rows["label"].groupby(normalized, sort=False).unique()
    return [
        {"text": str(text)[:200], "labels": sorted(labels)}
        for text, labels in labels_by_text.items()
        if len(labels) > 1
    ]


def _find_similar_labels(row_labels: pd.Series) -> list[list[str]]:
    """Labels that differ only in how they are written."""
    labels = pd.Series(sorted(set(row_labels) - {""}))
    folded = labels.map(_fold)
    return [alike for alike in labels.groupby(folded).agg(list) if len(alike) > 1]


def _fold(label: str) -> str:
    """A label without what people do not see or write in several ways.

    Numbers are compared by value; other labels without case, spaces, hyphens, underscores and
    zero-width characters, in one normal form of Unicode.

    >>> _fold("1.0") == _fold(" 1"), _fold("-1") == _fold("1"), _fold("Not-OK") == _fold("not ok")
    (True, False, True)
    """
    visible = "".join(c for c in label if unicodedata.category(c) != "Cf")
    try:
        return repr(float(visible))
    except ValueError:
        plain = unicodedata.normalize("NFKC", visible).casefold()
        return re.sub(r"[\s_-]+", "", plain) or label


def _make_warnings(findings: dict[str, Any], has_splits: bool) -> list[str]:
    lines = []
    for alike in findings["labels_that_look_alike"]:
        lines.append(
            f"labels {', '.join(map(repr, alike))} look alike; merge them if they mean the same"
        )
    if findings["lost_classes"]:
        lost = ", ".join(map(repr, findings["lost_classes"]))
        lines.append(f"classes without a single usable text: {lost}")
    lost_share = 1 - findings["rows_kept"] / findings["rows_read"]
    if lost_share > 0.05:
        lines.append(f"{lost_share:.0%} of the rows were dropped: {findings['rows_dropped']}")
    if findings["small_classes"]:
        small = ", ".join(f"{name} ({count})" for name, count in findings["small_classes"].items())
        lines.append(f"classes dropped as too small (rows): {small}")
    if findings["conflicting_texts"]:
        lines.append(
            f"{findings['conflicting_texts']} texts have more than one label; they were kept, "
            "but no model can predict all of these labels"
        )
    if findings["naive_split_leak"] > 0.01 and not has_splits:
        lines.append(
            f"a random split would leak: {findings['naive_split_leak']:.1%} of its test rows would "
            "have a duplicate or near-duplicate in training"
        )
    templates = findings["templates"]
    share = templates["rows"] / findings["rows_kept"]
    if share > TEMPLATE_SHARE:
        lines.append(
            f"{share:.1%} of the texts share a template with others, from which they differ in one "
            f"word, such as {templates['examples'][0][0]!r} and {templates['examples'][0][1]!r}; "
            "--group-templates keeps them in one split"
        )
    if min(findings["class_counts"].values()) < 50:
        lines.append("some classes have fewer than 50 rows: their test metrics will be uncertain")
    return lines
