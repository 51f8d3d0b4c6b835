"""The doctor's findings: what a table holds, and what in it would spoil training or measuring."""

from typing import Any

import numpy as np
import pandas as pd

from kerasclf.data.duplicates import normalize
from kerasclf.data.examples import Examples

EXAMPLES_SHOWN = 5


def examine(
    examples: Examples, groups: np.ndarray, max_bytes: int | None, test_share: float
) -> dict[str, Any]:
    """Examines the data before it is split.

    Args:
        examples: n labelled rows, and the rows as read.
        groups: int64 [n], near-duplicate groups of the kept rows.
        max_bytes: texts with more UTF-8 bytes count as truncated; None for an encoder of tokens.
        test_share: share of rows that a naive random split would test on.

    Returns:
        Findings that JSON can hold; "warnings" is a list of lines for people.
    """
    rows, kept = examples.all_rows, examples.rows
    lengths = kept["text"].map(lambda text: len(text.encode("utf-8")))
    counts = kept["label"].value_counts()
    sizes = np.bincount(groups)
    conflicts = _conflicts(kept)
    findings: dict[str, Any] = {
        "source": examples.source,
        "sha256": examples.digest(),
        "rows_read": len(rows),
        "rows_kept": len(kept),
        "rows_dropped": examples.dropped,
        "small_classes": examples.small_classes,
        "class_counts": {label: int(counts[label]) for label in examples.labels},
        "imbalance_ratio": round(float(counts.iloc[0] / counts.iloc[-1]), 2),
        "bytes": {
            "median": int(lengths.median()),
            "p95": int(lengths.quantile(0.95)),
            "max": int(lengths.max()),
        },
        "truncated_texts": 0 if max_bytes is None else int((lengths > max_bytes).sum()),
        "near_duplicate_groups": int((sizes > 1).sum()),
        "near_duplicate_rows": int(sizes[sizes > 1].sum()),
        "largest_group": int(sizes.max()),
        "conflicting_texts": len(conflicts),
        "conflict_examples": conflicts[:EXAMPLES_SHOWN],
        "lost_classes": sorted(
            set(rows["label"]) - {""} - set(examples.labels) - set(examples.small_classes)
        ),
        "labels_that_look_alike": _look_alike(rows["label"]),
        "naive_split_leak": naive_leak(rows, kept, groups, test_share),
    }
    findings["warnings"] = _warnings(findings, max_bytes)
    return findings


def naive_leak(
    rows: pd.DataFrame, kept: pd.DataFrame, groups: np.ndarray, test_share: float
) -> float:
    """Expected share of test rows with a copy in training, had the rows been split at random.

    A row of a group of g rows has no copy outside the test rows with probability t^(g-1), where t
    is the test share; exact copies that were dropped count here.
    """
    group_of = dict(zip(kept["text"], groups, strict=True))
    group = rows["text"].map(group_of).dropna().astype(np.int64)
    sizes = np.bincount(group)[group]
    return round(float(np.mean(1 - test_share ** (sizes - 1.0))), 4)


def _conflicts(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Texts, equal when normalized, that have more than one label."""
    normalized = rows["text"].map(normalize)
    labels = rows["label"].groupby(normalized, sort=False).unique()
    return [
        {"text": text[:200], "labels": sorted(found)}
        for text, found in labels.items()
        if len(found) > 1
    ]


def _look_alike(labels: pd.Series) -> list[list[str]]:
    """Labels that differ only in case, spaces, hyphens or underscores."""
    names = pd.Series(sorted(set(labels) - {""}))
    folded = names.str.casefold().str.replace(r"[\s_-]+", "", regex=True)
    alike = names.groupby(folded).agg(list)
    return [found for found in alike if len(found) > 1]


def _warnings(findings: dict[str, Any], max_bytes: int) -> list[str]:
    lines = []
    for alike in findings["labels_that_look_alike"]:
        lines.append(
            f"labels {', '.join(map(repr, alike))} look alike; if they are one, merge them"
        )
    if findings["lost_classes"]:
        lost = ", ".join(map(repr, findings["lost_classes"]))
        lines.append(f"classes without a single usable text: {lost}")
    lost_share = 1 - findings["rows_kept"] / findings["rows_read"]
    if lost_share > 0.05:
        lines.append(f"{lost_share:.0%} of the rows were dropped: {findings['rows_dropped']}")
    if findings["small_classes"]:
        small = ", ".join(f"{name} ({count})" for name, count in findings["small_classes"].items())
        lines.append(f"classes left out as too small: {small}")
    if findings["conflicting_texts"]:
        lines.append(
            f"{findings['conflicting_texts']} texts have more than one label; they were kept, "
            "but no model can get all of them right"
        )
    share = findings["truncated_texts"] / findings["rows_kept"]
    if share > 0.05:
        lines.append(f"{share:.0%} of the texts are longer than {max_bytes} bytes and will be cut")
    if findings["naive_split_leak"] > 0.01:
        lines.append(
            f"a random split would leak: {findings['naive_split_leak']:.1%} of its test rows would "
            "have a copy or near-copy in training"
        )
    if min(findings["class_counts"].values()) < 50:
        lines.append("some classes have fewer than 50 rows: their test figures will be uncertain")
    return lines
