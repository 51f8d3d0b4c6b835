"""`kerasclf train`: from a table to a trained, calibrated and measured classifier."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kerasclf import command, console
from kerasclf.callable_module import make_callable
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.train_options import default_options, train_config


@dataclass
class TrainOptions(TrainConfig, command.Options):
    """Train, calibrate and measure a classifier, and write a report. The same command goes on where
    it was interrupted."""

    config: Path | None = None
    """YAML file of these options, such as a run's config.yaml; command-line options override it."""
    resume: Path | None = None
    """Unfinished run to resume; takes no other options."""


def train(options: TrainOptions) -> dict[str, Any]:
    """Trains or resumes a run, and returns its metrics with its folder under "run"."""
    from kerasclf.job.kept import begin_or_resume
    from kerasclf.job.prepare import resume_job

    config = train_config(options)
    if options.resume:
        default = TrainConfig()
        changed = [name for name, value in vars(config).items() if getattr(default, name) != value]
        if changed or options.config:
            extra = changed[0] if changed else "config"
            raise UserError(
                f"--resume takes no other options, found --{extra.replace('_', '-')}; leave it out"
            )
        job = resume_job(options.resume)
    else:
        job = begin_or_resume(config)
    # TensorFlow takes seconds to import: only after the data has been checked.
    with console.quiet_imports():
        from kerasclf.exporting import keep_light_file
        from kerasclf.job.execute import run_job
        from kerasclf.run.layout import RunLayout

    metrics = run_job(job)
    keep_light_file(RunLayout.open(metrics["run"]))
    return metrics


def show(metrics: dict[str, Any]) -> None:
    """Prints the metrics."""
    from kerasclf.report.terminal import print_summary

    print_summary(metrics)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(TrainOptions, partial(default_options, options_class=TrainOptions))
    return command.run(parser, train, show, argv, "kerasclf train")


make_callable(__name__)

if __name__ == "__main__":
    sys.exit(main())
