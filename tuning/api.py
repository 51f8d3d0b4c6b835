"""`kerasclf.search`: the command as a function."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kerasclf.api import make_config
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from tuning.options import SearchOptions, make_plan
from tuning.result import SearchResult
from tuning.space import make_space

if TYPE_CHECKING:
    import pandas as pd

OWN = ("algorithm", "trials", "objective", "final_seeds", "max_size", "max_latency", "workers")
"""Options of a search that are not training options."""


def search(
    data: "pd.DataFrame | str | Path | None" = None,
    space: "Mapping[str, Sequence[Any]] | str | Path" = "bytes",
    **options: Any,
) -> SearchResult:
    """Searches the training options with the best validation metrics, as `kerasclf search`.

    Args:
        data: as in `kerasclf.train`.
        space: lists of values by training option; or a YAML file of them; or bytes, towers or
            transformer72.
        **options: those of `kerasclf search`, such as `algorithm` and `trials`, and of
            `kerasclf.train`.

    Returns:
        "search", the folder with leaderboard.csv and leaderboard.html; "trials" and "completed",
        their numbers; and "best", with its "values" and "config", a file for
        `kerasclf train --config`.

    Raises:
        TypeError: there is no such option.
        UserError: the data, the space or a value of an option cannot be used.
        RuntimeError: no trial has completed.
    """
    from tuning.execute import prepare_search, run_search

    own = {name: options.pop(name) for name in OWN if name in options}
    config = make_config(data, options, OWN)
    training = {declared.name: getattr(config, declared.name) for declared in fields(TrainConfig)}
    if isinstance(space, str | Path):
        settings = SearchOptions(**training, **own, space=Path(space))
        plan = make_plan(settings)
    elif isinstance(space, Mapping):
        values = {name: list(listed) for name, listed in space.items()}
        settings = SearchOptions(**training, **own)
        plan = make_plan(settings, make_space(values, "the space"))
    else:
        raise UserError(f"space is a {type(space).__name__}; expected a mapping or a file")
    result = run_search(plan, prepare_search(plan), None, settings.workers)
    return cast(SearchResult, result)
