"""Differences of macro-F1 between models, pooled over runs with other seeds or data.

    python -m benchmarks.pooling runs/student/1 runs/student/2 runs/student/3

prints means over runs: of macro-F1 on validation and on test rows, and of the difference to the
baseline on test rows, with its 95 % interval.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import numpy as np
import pandas as pd
import tyro

from kerasclf import command
from kerasclf.files import load_table
from kerasclf.report.wording import describe_difference
from kerasclf.run.finished import read_runs
from kerasclf.statistics.bootstrap import interval, macro_f1_difference, resamples

TRUE, PREDICTED, BASELINE = "label", "predicted_label", "baseline_label"
"""Columns of predictions.parquet."""


@dataclass
class PoolingOptions(command.Options):
    """Print means over runs, and what they have over their baselines."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Finished runs, at least two, such as those of several seeds."""


def pool(options: PoolingOptions) -> dict[str, Any]:
    """The means, and the pooled difference.

    Raises:
        UserError: there are fewer than two runs, or one is not finished.
    """
    return summarize([{"run": run.layout.root, **run.metrics} for run in read_runs(options.runs)])


def show(result: dict[str, Any]) -> None:
    """Prints the result."""
    print(f"macro-F1, validation rows: {result['validation']:.4f}")
    print(f"macro-F1, test rows:       {mean(result['test']):.4f}")
    print(f"over the baseline:         {describe_difference(result['over_baseline'])}")


def summarize(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Macro-F1 of runs: "validation" and "baseline", means; "test", each; and "over_baseline".

    Args:
        runs: metrics of n runs, with the folder of each under "run".
    """
    return {
        "validation": mean(entry["validation"]["macro_f1"] for entry in runs),
        "test": [entry["test"]["measures"]["macro_f1"]["value"] for entry in runs],
        "baseline": mean(entry["baseline"]["measures"]["macro_f1"] for entry in runs),
        "over_baseline": pool_differences(runs),
    }


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


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(PoolingOptions), pool, show, argv, "benchmarks.pooling")


if __name__ == "__main__":
    sys.exit(main())
