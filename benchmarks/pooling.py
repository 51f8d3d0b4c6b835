"""Differences of macro-F1 between models, pooled over runs with other seeds or data."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasclf.files import load_table
from kerasclf.statistics.bootstrap import interval, macro_f1_difference, resamples

TRUE, PREDICTED, BASELINE = "label", "predicted_label", "baseline_label"
"""Columns of predictions.parquet."""


def pool_differences(
    runs: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]] | None = None
) -> dict[str, float]:
    """The mean over runs of macro-F1 on test rows less that of another model, with a 95 % interval.

    In each resample of a paired bootstrap, rows are drawn in each run, equal ones where the runs
    have the same test rows.

    Args:
        runs: metrics of n runs, with the folder of each under "run".
        others: those of n other runs of the same test rows; None for the baselines of `runs`.
    """
    of_runs = []
    for position, entry in enumerate(runs):
        frame = _read_test_rows(entry)
        other = frame[BASELINE] if others is None else _read_test_rows(others[position])[PREDICTED]
        codes = pd.Index(entry["labels"])
        ids = [codes.get_indexer(labels) for labels in (frame[TRUE], frame[PREDICTED], other)]
        difference = partial(macro_f1_difference, *ids, len(codes))
        drawn = [difference(rows) for rows in resamples(len(frame), seed=0)]
        of_runs.append((difference(np.arange(len(frame))), drawn))
    low, high = interval(np.mean([drawn for _, drawn in of_runs], axis=0))
    return {"difference": float(np.mean([d for d, _ in of_runs])), "low": low, "high": high}


def _read_test_rows(metrics: dict[str, Any]) -> pd.DataFrame:
    frame = load_table(Path(metrics["run"]) / "predictions.parquet")
    return frame[frame["split"] == "test"].sort_values("row", ignore_index=True)
