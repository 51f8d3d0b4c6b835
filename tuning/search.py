"""`kerasclf search`: trials of training options on the validation rows of one job."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Literal

from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.train import default_options

POLL_SECONDS = 0.5


@dataclass
class SearchOptions(TrainConfig, command.Options):
    """Search for the training options with the best validation figures."""

    config: Path | None = None
    """YAML file of training options for all trials; the command line goes before it."""
    space: Path | None = None
    """YAML file of values to choose from, by training option; it goes before all others."""
    algorithm: Literal["grid", "random", "bayesian", "hyperband"] = "random"
    """How trials are chosen."""
    trials: int | None = None
    """Number of trials; the whole grid if none is given."""
    objective: Literal["macro_f1", "accuracy"] = "macro_f1"
    """What a trial is chosen by, on validation rows."""
    final_seeds: int = 3
    """Seeds that the best trials are trained again with; the highest mean wins."""
    max_size: int | None = None
    """Largest exported file in bytes (dynamic_int8); larger trials fail."""
    max_latency: float | None = None
    """Longest 95th percentile of one text in the exported file, in ms; slower trials fail."""
    workers: int = 1
    """Processes on this machine, each on its own cores or GPU."""
    chief: str | None = None
    """HOST:PORT that leads; give the same on all machines, in a network that you trust."""


def search(options: SearchOptions) -> dict[str, Any]:
    """Runs, resumes or joins the search that the options name."""
    from dataclasses import replace

    from kerasclf.files import check_writable
    from kerasclf.job.hold import lock
    from kerasclf.job.prepare import prepare_job
    from tuning.address import await_chief, choose_address
    from tuning.crew import Crew
    from tuning.plan import Search, identify
    from tuning.space import read_space

    if options.space is None:
        raise UserError("no space given; expected --space FILE such as tuning/spaces/bytes.yaml")
    _check_numbers(options)
    space = read_space(options.space)
    config = TrainConfig(**{f.name: getattr(options, f.name) for f in fields(TrainConfig)})
    config.check()
    space.check(config, options.space)
    trials = _count_trials(options, space)
    limited = options.max_size is not None or options.max_latency is not None
    if limited and {config.encoder, *space.choices.get("encoder", ())} != {"bytes"}:
        raise UserError("--max-size and --max-latency need --encoder bytes")
    address, leads = choose_address(options.chief)
    resolved = config.resolved()
    plan = Search(
        config,
        space,
        options.algorithm,
        trials,
        options.objective,
        options.final_seeds,
        options.max_size,
        options.max_latency,
        resolved.output / f"{resolved.name}-search",
    )
    job = prepare_job(config)
    for weights in space.choices.get("class_weights", ()):
        replace(job, config=replace(job.config, class_weights=weights)).check_files()
    check_writable(plan.folder / "new")
    settings = plan.settings(job)

    if not leads:
        await_chief(address)
        with Crew(plan, address, options.workers) as crew:
            _follow(crew, address)
        return {"joined": options.chief}
    plan.folder.mkdir(parents=True, exist_ok=True)
    with lock(plan.lock, plan.folder, "searched"):
        plan.claim(settings)
        return _lead(plan, job, identify(settings), address, options.workers)


def _check_numbers(options: SearchOptions) -> None:
    least = {"trials": 1, "final_seeds": 0, "max_size": 1, "workers": 1}
    for name, low in least.items():
        value = getattr(options, name)
        if value is not None and value < low:
            raise UserError(f"--{name.replace('_', '-')} is {value}; expected at least {low}")
    if options.max_latency is not None and not options.max_latency > 0:
        raise UserError(f"--max-latency is {options.max_latency}; expected over 0")


def _count_trials(options: SearchOptions, space: Any) -> int:
    if options.algorithm == "hyperband" and "epochs" in space.choices:
        raise UserError(
            f"--space {options.space} has epochs, which hyperband chooses; leave it out and set "
            "--epochs, the most"
        )
    if options.trials is None:
        if options.algorithm != "grid":
            raise UserError(f"--algorithm {options.algorithm} needs --trials N")
        return space.size
    # Hyperband tries a combination again with more epochs.
    return options.trials if options.algorithm == "hyperband" else min(options.trials, space.size)


def _lead(
    plan: Any, job: Any, identity: str, address: tuple[str, int], workers: int
) -> dict[str, Any]:
    with command.quiet_imports():
        from tuning.board import Board
        from tuning.chief import serve
        from tuning.crew import Crew
        from tuning.leaderboard import read_reason, write_leaderboard
        from tuning.oracles import make_oracle

    oracle = make_oracle(plan, identity)
    if plan.state.is_file():
        oracle.reload()
        command.say(f"{plan.folder}: going on after {len(oracle.end_order)} trials")
    for path in plan.folder.glob(".[0-9]*"):
        # What a kill left of a file that was being written.
        path.unlink()
    try:
        with (
            serve(oracle, plan, job, address),
            Crew(plan, address, workers) as crew,
            Board(plan, oracle) as board,
        ):
            command.say(f"{plan.folder}: {plan.trials} trials, chief at {address[0]}:{address[1]}")
            while crew.tend():
                board.update()
                time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        command.say("go on with the same command")
        raise
    result = write_leaderboard(plan, oracle)
    if "best" not in result:
        reason = read_reason(plan, oracle.searched()[0])
        raise RuntimeError(f"no trial of {plan.folder} gave a result; the first: {reason}")
    return result


def _follow(crew: Any, address: tuple[str, int]) -> None:
    from tuning.address import answers

    while crew.tend():
        time.sleep(POLL_SECONDS)
        if not answers(address):
            # Workers that have just heard of the end are about to leave.
            time.sleep(5)
            if crew.tend():
                raise RuntimeError("the chief is gone; start it again, then this command")


def show(result: dict[str, Any]) -> None:
    """Prints the outcome for people."""
    if "joined" in result:
        print(f"the search at {result['joined']} is over; its leaderboard is there")
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
