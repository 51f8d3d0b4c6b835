"""Where rows come from: names of sources, their weights in training, and which are measured."""

import numpy as np
import pandas as pd

from kerasclf.config import TrainConfig
from kerasclf.errors import UserError

SOURCE, SLICE = "source", "slice_"
"""Column of the source, and what the name of every other measured column begins with."""
AUGMENTED = "augmented"
"""Source of rows that `--augment` makes."""
UNKNOWN = "(none)"
"""Shown for an empty cell."""
SHOWN = 10
"""Sources that a message names at most."""


def slice_name(column: str) -> str:
    """Name of a `--slice-column` among the columns of a run."""
    return f"{SLICE}{column}"


def measured_columns(config: TrainConfig) -> list[str]:
    """Columns of the rows by whose values a run is measured."""
    source = [SOURCE] if config.source_column else []
    return [*source, *map(slice_name, config.slice_column)]


def check_sources(sources: pd.Series, config: TrainConfig) -> None:
    """Checks that the options name sources that the data has.

    Args:
        sources: source of each row, "" for none.
        config: names the sources that are measured and those that have a weight.

    Raises:
        UserError: they name another one.
    """
    for option, names in (
        ("--measure-on", config.measure_on),
        ("--source-weights", config.weight_by_source),
    ):
        unknown = [name for name in names if name not in set(sources) - {""}]
        if unknown:
            found = ", ".join(map(repr, sorted(set(sources) - {""})[:SHOWN])) or "only empty cells"
            raise UserError(
                f"{option} names {unknown[0]!r}; found {found} in column {config.source_column!r}"
            )


def weigh_rows(sources: pd.Series, config: TrainConfig) -> np.ndarray | None:
    """Weight of each row in training by its source.

    Returns:
        float32 [n]; None if no source has a weight.
    """
    if not config.source_weights:
        return None
    return sources.map(config.weight_by_source).fillna(1.0).to_numpy(dtype=np.float32)


def repeat_weights(weights: np.ndarray | None, sources: np.ndarray) -> np.ndarray | None:
    """Weights of training rows and of the rows augmented from them.

    Args:
        weights: float32 [n]; None if all weigh the same.
        sources: int64 [m], positions of the training rows that were augmented.
    """
    return None if weights is None else np.append(weights, weights[sources])
