"""The result of a search, as `kerasclf search --json` prints it."""

from typing import Any, NotRequired, TypedDict


class BestTrial(TypedDict):
    """The trial that won."""

    trial: str
    val_macro_f1: NotRequired[float]
    """Its score, if macro-F1 is the objective."""
    val_accuracy: NotRequired[float]
    """Its score, if accuracy is the objective."""
    final_mean: float | None
    """Mean score over other seeds; None without finals."""
    config: str
    """Path of best.yaml."""
    values: dict[str, Any]
    """Its training options of the space."""


class SearchResult(TypedDict):
    """The result of a search."""

    search: str
    """Folder of the search."""
    trials: int
    """Number of trials, without finals."""
    completed: int
    finals: int
    leaderboard: str
    """Path of leaderboard.html."""
    best: NotRequired[BestTrial]
    """Absent if no trial has completed."""


class JoinedSearch(TypedDict):
    """What is left to say on a machine that ran trials for a chief elsewhere."""

    joined: str
    """HOST:PORT of the chief."""
