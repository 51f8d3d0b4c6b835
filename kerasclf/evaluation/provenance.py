"""Sources of a table: how well they are told apart, and what they say about the labels."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats.contingency import association
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from kerasclf.data.sources import UNKNOWN
from kerasclf.evaluation.slices import find_gap

MOST_ROWS = 10_000
"""Rows of the sample by which sources are told apart."""
FOLDS = 3
LEAST_GROUPS = 2 * FOLDS
"""Sources with fewer groups of near-duplicates are not told apart."""
TOLD_APART = 0.9
"""Recall from which a source is easy to tell apart from others."""
SHOWN = 8
"""N-grams shown of each source."""


def examine_sources(rows: pd.DataFrame, groups: np.ndarray, seed: int) -> dict[str, Any]:
    """Examines the sources of a table.

    Args:
        rows: n clean rows with the columns text, label and source.
        groups: int64 [n], near-duplicate groups.
        seed: of sample and folds.

    Returns:
        "rows" by source; "labels", rows by label for each source; "association" of source and label
        (Cramér's V, 0 to 1); "shared_groups", near-duplicate groups with several sources, and
        "rows_in_shared_groups"; "balanced_accuracy" of a linear model that tells the sources apart,
        by cross-validation with near-duplicates in one fold, "chance", "recall" of each source,
        and "ngrams" that are typical of it. The last four are None and empty if fewer than two
        sources have enough rows.
    """
    sources = rows["source"].where(rows["source"] != "", UNKNOWN)
    table = pd.crosstab(sources, rows["label"])
    counts = sources.value_counts()
    several = pd.Series(sources.to_numpy()).groupby(groups).nunique()
    shared = several.index[several > 1]
    found: dict[str, Any] = {
        "rows": {name: int(count) for name, count in counts.items()},
        "labels": {
            name: {label: int(count) for label, count in row.items() if count}
            for name, row in table.iterrows()
        },
        "association": _cramers_v(table.to_numpy()),
        "shared_groups": len(shared),
        "rows_in_shared_groups": int(np.isin(groups, shared).sum()),
        "balanced_accuracy": None,
        "chance": None,
        "recall": {},
        "ngrams": {},
    }
    groups_of = pd.Series(groups).groupby(sources.to_numpy()).nunique()
    kept = list(groups_of.index[groups_of >= LEAST_GROUPS])
    if len(kept) > 1:
        sample = _sample(sources, kept, seed)
        texts, names = rows["text"].to_numpy()[sample], sources.to_numpy()[sample]
        found |= tell_apart(texts, names, groups[sample], seed)
    return found


def _cramers_v(table: np.ndarray) -> float:
    return float(association(table, method="cramer")) if min(table.shape) > 1 else 0.0


def _sample(sources: pd.Series, kept: list[str], seed: int) -> np.ndarray:
    """Positions of rows of some sources; of a large source not more than its equal share needs."""
    random = np.random.default_rng(seed)
    share = MOST_ROWS // len(kept)
    parts = []
    for name in kept:
        positions = np.flatnonzero((sources == name).to_numpy())
        parts.append(random.permutation(positions)[: max(share, LEAST_GROUPS)])
    return np.sort(np.concatenate(parts))


def tell_apart(
    texts: np.ndarray, names: np.ndarray, groups: np.ndarray, seed: int
) -> dict[str, Any]:
    """Tells texts of several sources apart by a linear model, in cross-validation.

    Args:
        texts: str [n].
        names: str [n], their sources.
        groups: int64 [n]; texts of a group are in one fold.
        seed: of the folds.

    Returns:
        "balanced_accuracy", "chance", "recall" and "ngrams", as in `examine_sources`; empty if no
        n-gram is in two texts.
    """
    features = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = make_pipeline(features, LinearSVC(class_weight="balanced", random_state=seed))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    try:
        predicted = cross_val_predict(model, texts, names, groups=groups, cv=folds)
    except ValueError:
        # No n-gram is in two texts: nothing tells the sources apart.
        return {}
    model.fit(texts, names)
    classes, coefficients = model[-1].classes_, model[-1].coef_
    if len(classes) == 2:
        coefficients = np.concatenate([-coefficients, coefficients])
    ngrams = features.get_feature_names_out()
    return {
        "balanced_accuracy": float(balanced_accuracy_score(names, predicted)),
        "chance": 1 / len(classes),
        "recall": {name: float((predicted[names == name] == name).mean()) for name in classes},
        "ngrams": {
            name: ngrams[np.argsort(-weights, kind="stable")[:SHOWN]].tolist()
            for name, weights in zip(classes, coefficients, strict=True)
        },
    }


def advise_source(sources: dict[str, Any] | None, by_source: dict[str, Any] | None) -> str | None:
    """Advice to measure on the hardest source, if the easiest one is easily told apart.

    Args:
        sources: findings of `examine_sources`.
        by_source: figures of `measure_slices`.
    """
    gap = find_gap(by_source or {})
    if not sources or not gap or sources["recall"].get(gap[0], 0) < TOLD_APART:
        return None
    return (
        f"{gap[0]} rows are told apart from others easily and are much easier to classify: if your "
        f"own messages are like the {gap[1]} rows, measure on these: --measure-on {gap[1]}"
    )
