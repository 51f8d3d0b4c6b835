"""The main job: from a table to a trained, calibrated, measured and reported classifier."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError


@dataclass
class TrainOptions(TrainConfig, command.Options):
    """Train, calibrate, measure and report a classifier."""

    config: Path | None = None
    """YAML file of these options, such as a run's config.yaml; the command line goes before it."""
    resume: Path | None = None
    """Unfinished run to go on with; takes no other options."""


OptionsT = TypeVar("OptionsT", bound=TrainConfig)


def default_options(argv: Sequence[str], options_class: type[OptionsT] = TrainOptions) -> OptionsT:
    """The options' defaults: those of `--config FILE`, if it is given."""
    import argparse

    finder = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    finder.add_argument("--config", type=Path)
    try:
        path = finder.parse_known_args(argv)[0].config
    except argparse.ArgumentError:
        path = None
    return options_class(config=path, **vars(TrainConfig.from_yaml(path)) if path else {})


def train(options: TrainOptions) -> dict[str, Any]:
    """Runs the main job and returns the run's metrics, with the folder under "run"."""
    from kerasclf.job.prepare import prepare_job, resume_job

    chosen = {field.name: getattr(options, field.name) for field in fields(TrainConfig)}
    if options.resume:
        changed = [name for name, value in vars(TrainConfig()).items() if chosen[name] != value]
        if changed or options.config:
            found = changed[0] if changed else "config"
            raise UserError(
                f"--resume takes no other options, found --{found.replace('_', '-')}; leave it out"
            )
        job = resume_job(options.resume)
    else:
        job = prepare_job(TrainConfig(**chosen))
    # TensorFlow takes seconds to import: not before the data is known to be good.
    with command.quiet_imports():
        from kerasclf.job.run import run_job

    return run_job(job)


def show(metrics: dict[str, Any]) -> None:
    """Prints the outcome for people."""
    from kerasclf.report.summary import print_summary

    print_summary(metrics)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(TrainOptions, default_options)
    return command.run(parser, train, show, argv, "kerasclf train")


if __name__ == "__main__":
    sys.exit(main())
