"""What training options are worth of a pretrained encoder, on validation rows.

    python -m benchmarks.teachers FOLDER --datasets id-hate smsa --size 4000 \\
        --options "{}" "{epochs: 4}" "{epochs: 4, freeze_layers: 6}"

Each mapping has options of `kerasclf train` in YAML. For each, macro-F1 of the network and of the
model with its linear part, what the latter has over the first mapping, with a 95 % interval of a
paired bootstrap, and minutes of training. Test rows are not looked at. Finished runs are kept in
--output, and the same command goes on where it was interrupted.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import tyro
import yaml

from benchmarks.quality import cut
from kerasclf import command
from kerasclf.api import make_config
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.job.kept import train_once
from kerasclf.report.wording import describe_difference
from kerasclf.run.finished import FinishedRun, read_predictions
from kerasclf.run.layout import RunLayout
from kerasclf.statistics.bootstrap import compare

COMMON = ("encoder", "seed", "output")
"""Options of all trainings that a mapping does not set."""


@dataclass(kw_only=True)
class TeacherOptions(command.Options):
    """Compare training options of a pretrained encoder on validation rows."""

    encoder: Annotated[str, tyro.conf.Positional]
    """A pretrained encoder, as kerasclf train --encoder."""
    datasets: tuple[str, ...] = ("id-hate",)
    """Names of data sets (see `kerasclf datasets`)."""
    size: str = "all"
    """Number of training rows of each, or all."""
    options: tuple[str, ...] = ("{}",)
    """Mappings in YAML, each with options of kerasclf train."""
    seed: int = 0
    """Seed of the split, the training rows and the training."""
    output: Path = Path("runs/teachers")
    """Folder of the runs."""


def measure(options: TeacherOptions) -> dict[str, Any]:
    """Trains with each mapping on each data set, and collects the figures.

    Raises:
        UserError: a mapping is none in YAML, or has an unknown option or a wrong value.
    """
    # All of them, before the first training.
    of_data_sets = [
        [_configure(options, name, mapping) for mapping in options.options]
        for name in options.datasets
    ]
    return {"results": [row for configs in of_data_sets for row in _compare(options, configs)]}


def _configure(options: TeacherOptions, data_set: str, mapping: str) -> TrainConfig:
    """The configuration of a training."""
    try:
        values = yaml.safe_load(mapping)
    except yaml.YAMLError:
        values = None
    if not isinstance(values, dict):
        raise UserError(f"--options has {mapping!r}; expected mappings such as '{{epochs: 3}}'")
    values = {str(key): value for key, value in values.items()}
    common = {"dataset": data_set, **{key: getattr(options, key) for key in COMMON}}
    name = f"{data_set}-{options.size}-{options.seed}"
    try:
        config = make_config(None, common | values)
    except TypeError as error:
        raise UserError(f"--options has {mapping!r}: {error}") from error
    return replace(config, name=name)


def _compare(options: TeacherOptions, configs: list[TrainConfig]) -> list[dict[str, Any]]:
    """The rows of the table for one data set, with the configuration of each mapping."""
    runs = []
    for mapping, config in zip(options.options, configs, strict=True):
        found = train_once(config, partial(cut, size=options.size, or_all=True))
        assert found is not None
        runs.append(FinishedRun(mapping, RunLayout.open(found["run"]), found))
    predictions = read_predictions(runs, "validation")
    compared = partial(
        compare,
        predictions.class_ids,
        baseline=predictions.decided[runs[0].name],
        num_classes=len(predictions.labels),
        seed=options.seed,
    )
    return [
        {
            "data": configs[0].dataset,
            "options": run.name,
            "network": round(run.metrics["training"]["best_val_macro_f1"], 3),
            "model": round(run.metrics["validation"]["macro_f1"], 3),
            "over the first": describe_difference(compared(predictions.decided[run.name])),
            "minutes": round(run.metrics["seconds"]["train"] / 60, 1),
        }
        for run in runs
    ]


def show(result: dict[str, Any]) -> None:
    """Prints the table."""
    print(pd.DataFrame(result["results"]).to_string(index=False))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(TeacherOptions), measure, show, argv, "benchmarks.teachers")


if __name__ == "__main__":
    sys.exit(main())
