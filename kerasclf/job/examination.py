"""A closer look at a table before training: what a linear model says of a split of its rows."""

from pathlib import Path
from typing import Any

import numpy as np

from kerasclf.config import TrainConfig
from kerasclf.data.examples import Examples
from kerasclf.data.problems import list_problems
from kerasclf.data.sources import measured_columns
from kerasclf.data.splits import split_examples
from kerasclf.errors import UserError
from kerasclf.evaluation.baseline import predict_baseline
from kerasclf.evaluation.novelty import describe_novelty
from kerasclf.evaluation.provenance import advise_source
from kerasclf.evaluation.slices import measure_columns
from kerasclf.files import replacing
from kerasclf.job.defaults import fit_to_data
from kerasclf.job.prepare import add_truncation, examine_data

MOST_ROWS = {"train": 20_000, "validation": 2_000}
"""Rows of each split that are looked at; more are a random sample."""


def examine_table(config: TrainConfig, problems: Path | None = None) -> dict[str, Any]:
    """Examines a table, and how a linear model does on its validation rows.

    Args:
        config: a resolved configuration.
        problems: CSV to write, of `list_problems`.

    Returns:
        The findings of `examine_data`, with "novelty" of `describe_novelty`, and "by_source" and
        "by_slice" of `measure_columns`. A table that cannot be split has none of these, but a
        warning.

    Raises:
        UserError: the data cannot be read, or nothing can be learned from it.
    """
    examples, groups, findings = examine_data(config)
    if problems:
        with replacing(problems) as beside:
            list_problems(examples).to_csv(beside, index=False)
    add_truncation(findings, examples, fit_to_data(config, examples.rows["text"].tolist()))
    try:
        findings |= look_closer(examples, groups, config)
    except UserError as error:
        findings["warnings"].append(f"training would refuse this table: {error}")
    advice = advise_source(findings.get("sources"), findings.get("by_source"))
    findings["warnings"] += [advice] if advice else []
    return findings


def look_closer(examples: Examples, groups: np.ndarray, config: TrainConfig) -> dict[str, Any]:
    """Fits the baseline on training rows, and measures novelty and slices of validation rows.

    Args:
        examples: n clean rows.
        groups: int64 [n], rows that stay in one split.
        config: a resolved configuration.

    Returns:
        "novelty", and "by_source" and "by_slice" as far as there are such columns.

    Raises:
        UserError: the rows cannot be split.
    """
    shares = config.validation_share, config.test_share
    split = split_examples(examples, groups, *shares, config.seed)["split"].to_numpy()
    rows, class_ids = examples.rows, examples.class_ids.to_numpy(dtype=np.int64)
    random = np.random.default_rng(config.seed)
    positions = {
        name: np.sort(random.permutation(np.flatnonzero(split == name))[:most])
        for name, most in MOST_ROWS.items()
    }
    train, held = (
        (rows["text"].to_numpy()[chosen].tolist(), class_ids[chosen])
        for chosen in positions.values()
    )
    baseline = predict_baseline(train, held, held[0], config.seed)
    hits = (baseline.predicted == held[1])[baseline.compared]
    figures = measure_columns(
        rows.iloc[positions["validation"]],
        measured_columns(config),
        held[1],
        baseline.predicted,
        len(examples.labels),
        config.seed,
    )
    return {"novelty": describe_novelty(baseline.similarity, hits), **figures}
