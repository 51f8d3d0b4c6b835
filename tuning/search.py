"""`kerasclf search`: trials of training options on the validation rows of one job."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.encoders import find_encoder
from kerasclf.errors import UserError
from kerasclf.train_options import default_options, train_config
from tuning.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from tuning.plan import SearchPlan
    from tuning.space import Space


if TYPE_CHECKING:
    AlgorithmName = str
else:
    AlgorithmName = Literal[*ALGORITHMS]


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
    objective: Literal["macro_f1", "accuracy"] = "macro_f1"
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


def search(options: SearchOptions) -> Mapping[str, Any]:
    """Runs, resumes or joins the search that the options describe."""
    from tuning.execute import prepare_search, run_search
    from tuning.workers.address import Address

    plan = make_plan(options)
    chief = None if options.chief is None else Address.parse(options.chief)
    return run_search(plan, prepare_search(plan), chief, options.workers)


def make_plan(options: SearchOptions) -> "SearchPlan":
    """Checks the options and makes a plan of them.

    Raises:
        UserError: an option or the space is invalid.
    """
    from tuning.plan import SearchPlan
    from tuning.space import read_space

    if options.space is None:
        raise UserError("no space given; expected --space bytes or a YAML file")
    _check_numbers(options)
    space = read_space(options.space)
    config = train_config(options)
    config.check()
    space.check(config, options.space)
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
            f"--space {options.space} has epochs, which {options.algorithm} chooses; remove it and "
            "set --epochs, the maximum"
        )
    if options.trials is None:
        if not algorithm.exhaustive:
            raise UserError(f"--algorithm {options.algorithm} needs --trials N")
        return space.size
    return options.trials if algorithm.chooses_epochs else min(options.trials, space.size)


def show(result: Mapping[str, Any]) -> None:
    """Prints the result."""
    if "joined" in result:
        print(f"the search at {result['joined']} has ended; its leaderboard is on that machine")
        return
    best = result["best"]
    values = ", ".join(f"{key} {value}" for key, value in best["values"].items())
    metric = next(key for key in best if key.startswith("val_"))
    print(f"best      trial {best['trial']}: {metric} {best[metric]:.4f} ({values})")
    if best["final_mean"] is not None:
        print(f"finals    mean {best['final_mean']:.4f} over other seeds")
    print(f"trials    {result['completed']} of {result['trials']} completed")
    print(f"train it  kerasclf train --config {best['config']}")
    print(f"search    {result['search']}  (open leaderboard.html)")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parse = command.parser(SearchOptions, partial(default_options, options_class=SearchOptions))
    return command.run(parse, search, show, argv, "kerasclf search")


if __name__ == "__main__":
    sys.exit(main())
