"""Options of a search, and the plan that they describe."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.encoders import find_encoder
from kerasclf.errors import UserError
from kerasclf.train_options import train_config
from tuning.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from tuning.plan import SearchPlan
    from tuning.space import Space

OBJECTIVES = ("macro_f1", "accuracy")
if TYPE_CHECKING:
    AlgorithmName = str
    ObjectiveName = str
else:
    AlgorithmName, ObjectiveName = Literal[*ALGORITHMS], Literal[*OBJECTIVES]


@dataclass
class SearchOptions(TrainConfig, command.Options):
    """Search for the training options with the best validation metrics."""

    config: Path | None = None
    """YAML file of training options for all trials; command-line options override it."""
    space: Path | None = None
    """YAML file with a list of values for each training option to search, or bytes, towers or
    transformer72; overrides all other options."""
    algorithm: AlgorithmName = "random"
    """How trials are chosen."""
    trials: int | None = None
    """Number of trials; default: all combinations (grid only)."""
    objective: ObjectiveName = "macro_f1"
    """Metric on the validation rows by which the best trial is selected."""
    final_seeds: int = 3
    """Number of other seeds that the best trials are trained again with; the highest mean wins."""
    max_size: int | None = None
    """Maximum size of the exported file (dynamic_int8) in bytes; larger trials fail."""
    max_latency: float | None = None
    """Maximum 95th percentile of the exported file's time per text in ms; slower trials fail."""
    workers: int = 1
    """Worker processes on this machine, each on its own cores or GPU."""
    chief: str | None = None
    """HOST:PORT of the machine that leads the search; give the same on all machines, in a network
    that you trust."""


def make_plan(options: SearchOptions, space: "Space | None" = None) -> "SearchPlan":
    """Checks the options and makes a plan of them.

    Args:
        options: of the search.
        space: what to search; None for that of the file `options.space`.

    Raises:
        UserError: an option or the space is invalid.
    """
    from tuning.plan import SearchPlan
    from tuning.space import read_space

    if options.algorithm not in ALGORITHMS:
        raise UserError(f"algorithm is {options.algorithm!r}; expected {', '.join(ALGORITHMS)}")
    if options.objective not in OBJECTIVES:
        raise UserError(f"objective is {options.objective!r}; expected {' or '.join(OBJECTIVES)}")
    if space is None and options.space is None:
        raise UserError("no space given; expected --space bytes or a YAML file")
    _check_numbers(options)
    space = space or read_space(cast(Path, options.space))
    config = train_config(options)
    config.check()
    space.check(config)
    resolved = config.resolved()
    plan = SearchPlan(
        config=config,
        space=space,
        algorithm=options.algorithm,
        trials=_count_trials(options, space),
        objective=options.objective,
        final_seeds=options.final_seeds,
        max_size=options.max_size,
        max_latency=options.max_latency,
        folder=resolved.output / f"{resolved.name}-search",
    )
    encoders = {config.encoder, *space.choices.get("encoder", ())}
    if plan.limits_export and not all(find_encoder(name).reads_bytes for name in encoders):
        raise UserError("--max-size and --max-latency need --encoder bytes")
    return plan


def _check_numbers(options: SearchOptions) -> None:
    least = {"trials": 1, "final_seeds": 0, "max_size": 1, "workers": 1}
    for name, low in least.items():
        value = getattr(options, name)
        if value is not None and value < low:
            raise UserError(f"--{name.replace('_', '-')} is {value}; expected at least {low}")
    if options.max_latency is not None and not options.max_latency > 0:
        raise UserError(f"--max-latency is {options.max_latency}; expected over 0")


def _count_trials(options: SearchOptions, space: "Space") -> int:
    algorithm = ALGORITHMS[options.algorithm]
    if algorithm.chooses_epochs and "epochs" in space.choices:
        raise UserError(
            f"{space.source} has epochs, which {options.algorithm} chooses; remove it and "
            "set --epochs, the maximum"
        )
    if options.trials is None:
        if not algorithm.exhaustive:
            raise UserError(f"--algorithm {options.algorithm} needs --trials N")
        return space.size
    return options.trials if algorithm.chooses_epochs else min(options.trials, space.size)
