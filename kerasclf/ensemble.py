"""`kerasclf ensemble`: soft voting of finished runs, saved as a run."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from kerasclf import command, console
from kerasclf.config import RUNS


@dataclass
class EnsembleOptions(command.Options):
    """Average the probabilities of finished runs, and save the ensemble as a run."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Runs with the same validation and test rows."""
    weights: Literal["equal", "auto"] = "equal"
    """Equal weights, or the weights with the lowest log loss on validation rows."""
    name: str | None = None
    """Name of the ensemble; default: the first member's name with the suffix -ensemble."""
    output: Annotated[Path | None, RUNS] = None
    """Folder of all runs; default: the first member's."""


def ensemble(options: EnsembleOptions) -> dict[str, Any]:
    """Saves the ensemble of the given runs."""
    from kerasclf.run.finished import read_predictions, read_runs

    members = read_runs(options.runs)
    # Before TensorFlow is imported, which takes seconds.
    for split in ("validation", "test"):
        read_predictions(members, split)
    with console.quiet_imports():
        from kerasclf.job.soft_voting import make_ensemble

    return make_ensemble(members, options.weights, options.name, options.output)


def show(metrics: dict[str, Any]) -> None:
    """Prints the metrics."""
    from kerasclf.report.terminal import print_summary

    print_summary(metrics)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(EnsembleOptions), ensemble, show, argv, "kerasclf ensemble")


if __name__ == "__main__":
    sys.exit(main())
