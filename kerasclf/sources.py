"""`kerasclf sources`: what the rows of each source are worth for the rows that you trust."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from kerasclf import command, console
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.train_options import default_options, train_config


@dataclass
class SourcesOptions(TrainConfig, command.Options):
    """Train with and without the rows of each source, and measure on those of --measure-on, by
    cross-validation on training rows; test rows are not read."""

    folds: int = 5
    """Number of folds: stratified, and with groups and near-duplicates kept together."""
    with_: Annotated[Literal["linear", "network"], tyro.conf.arg(name="with")] = "linear"
    """What is trained: the linear part alone, which takes seconds, or the model of the options."""
    page: Path | None = None
    """FILE.svg for the plot, or FILE.html for table and plot."""
    config: Path | None = None
    """YAML file of these options, such as a run's config.yaml; command-line options override it."""


def measure_sources(options: SourcesOptions) -> dict[str, Any]:
    """Measures the worth of every source, and writes the plot or page if a file is given."""
    from kerasclf.files import check_page
    from kerasclf.job.prepare import prepare_job
    from kerasclf.job.source_worth import measure_worth, trusted_rows

    if options.page:
        check_page(options.page)
    config = train_config(options)
    if not config.measure_on:
        raise UserError("found no --measure-on SOURCE; name the sources of the rows that you trust")
    if options.with_ == "linear":
        config = config.without_network()
    job = prepare_job(config)
    trusted = trusted_rows(job, options.folds)
    # TensorFlow takes seconds to import: only after the data has been checked.
    with console.quiet_imports():
        from kerasclf.job.train_rows import make_trainer

    result = measure_worth(job, trusted, make_trainer(job.config, job), options.folds)
    if options.page:
        from kerasclf.report.page import write_worth

        write_worth(options.page, result)
    return result


def show(result: dict[str, Any]) -> None:
    """Prints curve and verdict of every source."""
    from kerasclf.report.terminal import print_worth

    print_worth(result)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    default = partial(default_options, options_class=SourcesOptions)
    parser = command.parser(SourcesOptions, default)
    return command.run(parser, measure_sources, show, argv, "kerasclf sources")


if __name__ == "__main__":
    sys.exit(main())
