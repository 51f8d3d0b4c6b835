"""`kerasclf crossval`: cross-validation of a configuration on the training rows."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kerasclf import command, console
from kerasclf.callable_module import make_callable
from kerasclf.config import TrainConfig
from kerasclf.train_options import default_options, train_config


@dataclass
class CrossvalOptions(TrainConfig, command.Options):
    """Train and measure a configuration on folds of the training rows; test rows are not read."""

    folds: int = 5
    """Number of folds: stratified, and with groups and near-duplicates kept together."""
    config: Path | None = None
    """YAML file of these options, such as a run's config.yaml; command-line options override it."""


def crossval(options: CrossvalOptions) -> dict[str, Any]:
    """Cross-validates the configuration of the options."""
    from kerasclf.job.folds import check_folds
    from kerasclf.job.prepare import prepare_job

    job = prepare_job(train_config(options))
    check_folds(job, options.folds)
    # TensorFlow takes seconds to import: only after the data has been checked.
    with console.quiet_imports():
        from kerasclf.job.cross_validation import cross_validate

    return asdict(cross_validate(job, options.folds))


def show(result: dict[str, Any]) -> None:
    """Prints the metrics."""
    from kerasclf.report.terminal import print_crossval

    print_crossval(result)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    default = partial(default_options, options_class=CrossvalOptions)
    parser = command.parser(CrossvalOptions, default)
    return command.run(parser, crossval, show, argv, "kerasclf crossval")


make_callable(__name__)

if __name__ == "__main__":
    sys.exit(main())
