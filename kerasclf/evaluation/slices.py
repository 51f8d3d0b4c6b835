"""Figures of parts of the rows: by source, and by the values of any other column."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from kerasclf.data.sources import SLICE, SOURCE, UNKNOWN
from kerasclf.evaluation.targets import check_targets, parse_target
from kerasclf.statistics.bootstrap import DECISION_METRICS, measure_decisions
from kerasclf.statistics.metrics import CONFUSION_METRICS, count_classes

LEAST_ROWS, MOST_VALUES = 10, 50
"""Values with fewer rows, and all but the 50 most frequent ones, are one slice."""
GAP = 0.1
"""Difference in macro-F1 between two sources that is worth a line."""
ALPHA = 0.05


def measure_slices(
    values: pd.Series,
    class_ids: np.ndarray,
    predicted: np.ndarray,
    num_classes: int,
    seed: int,
    *,
    baseline: np.ndarray | None = None,
    targets: Sequence[str] = (),
) -> dict[str, dict[str, Any]]:
    """Measures the rows of each value of a column.

    Args:
        values: str [n], "" for none.
        class_ids: int64 [n], true class ids.
        predicted: int64 [n], predicted class ids.
        num_classes: number of classes.
        seed: of the bootstrap.
        baseline: int64 [n], class ids that the baseline predicts.
        targets: those of accuracy and macro_f1 are compared with the figures of each value.

    Returns:
        By value, smallest first: "rows", "measures" (accuracy and macro_f1 with intervals),
        "baseline" (both, if there is one), "targets", and "p_below", the probability that a value
        has as few hits by chance as it has, by Fisher's exact test against all other rows, times
        the number of values (Bonferroni), if its accuracy is lower; else 1.
    """
    named = _pool(values).to_numpy()
    hits = class_ids == predicted
    names, counts = np.unique(named, return_counts=True)
    order = sorted(zip(counts.tolist(), names.tolist(), strict=True))
    names_measured = [target for target in targets if parse_target(target)[0] in DECISION_METRICS]
    figures: dict[str, dict[str, Any]] = {}
    for count, name in order:
        inside = named == name
        measures = measure_decisions(class_ids[inside], predicted[inside], num_classes, seed)
        values_of = {key: entry["value"] for key, entry in measures.items()}
        figures[name] = {
            "rows": count,
            "measures": measures,
            "targets": check_targets(names_measured, values_of),
            "p_below": min(1.0, len(order) * _p_below(hits[inside], hits[~inside])),
        }
        if baseline is not None:
            confusion = count_classes(class_ids[inside], baseline[inside], num_classes)
            figures[name]["baseline"] = {
                metric: float(CONFUSION_METRICS[metric](confusion)) for metric in DECISION_METRICS
            }
    return figures


def measure_columns(
    rows: pd.DataFrame,
    columns: Sequence[str],
    class_ids: np.ndarray,
    predicted: np.ndarray,
    num_classes: int,
    seed: int,
    *,
    baseline: np.ndarray | None = None,
    targets: Sequence[str] = (),
) -> dict[str, Any]:
    """Measures rows by their source and by the values of other columns.

    Args:
        rows: n rows.
        columns: "source", and `slice_name` of others.
        class_ids: as in `measure_slices`, like all other arguments.
        predicted: int64 [n].
        num_classes: number of classes.
        seed: of the bootstrap.
        baseline: int64 [n].
        targets: of the run.

    Returns:
        "by_source" and "by_slice" (by column), as far as there are such columns.
    """
    figures: dict[str, Any] = {}
    for column in columns:
        of_column = measure_slices(
            rows[column],
            class_ids,
            predicted,
            num_classes,
            seed,
            baseline=baseline,
            targets=targets,
        )
        if column == SOURCE:
            figures["by_source"] = of_column
        else:
            figures.setdefault("by_slice", {})[column.removeprefix(SLICE)] = of_column
    return figures


def _pool(values: pd.Series) -> pd.Series:
    """The values, with the rare ones as one."""
    named = values.where(values != "", UNKNOWN)
    counts = named.value_counts()
    rare = counts.index[MOST_VALUES:].union(counts.index[counts < LEAST_ROWS])
    if len(rare) < 2:
        return named
    return named.where(~named.isin(rare), f"({len(rare)} others)")


def _p_below(hits: np.ndarray, others: np.ndarray) -> float:
    """One-sided p-value of a lower accuracy."""
    if not len(others):
        return 1.0
    table = [[int(part.sum()), int((~part).sum())] for part in (hits, others)]
    return float(fisher_exact(table, alternative="less").pvalue)


def find_gap(by_source: Mapping[str, Mapping[str, Any]]) -> tuple[str, str] | None:
    """The easiest and the hardest source, if they clearly differ.

    They do if their macro-F1 differs by 0.1 or more and their 95 % intervals do not overlap.
    """
    scores = {name: entry["measures"]["macro_f1"] for name, entry in by_source.items()}
    if len(scores) < 2:
        return None
    easy = max(scores, key=lambda name: scores[name]["value"])
    hard = min(scores, key=lambda name: scores[name]["value"])
    is_wide = scores[easy]["value"] - scores[hard]["value"] >= GAP
    return (easy, hard) if is_wide and scores[easy]["low"] > scores[hard]["high"] else None


def find_weak(by_value: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Values whose accuracy is clearly below that of all other rows."""
    return [name for name, entry in by_value.items() if entry["p_below"] < ALPHA]
