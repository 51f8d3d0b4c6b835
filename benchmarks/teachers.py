"""What training options are worth of a pretrained encoder, on validation rows.

    python -m benchmarks.teachers FOLDER --datasets id-hate smsa --size 4000 \\
        --options "{}" "{epochs: 4}" "{epochs: 4, freeze_layers: 6}"

Each mapping has options of `kerasclf train` in YAML. For each, macro-F1 of the network and of the
model with its linear part, what the latter has over the first mapping, with a 95 % interval of a
paired bootstrap, and minutes of training. Test rows are not looked at. Finished runs are kept in
--output, and the same command goes on where it was interrupted.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from benchmarks.quality import cut
from kerasclf.config import TrainConfig
from kerasclf.job.kept import train_once
from kerasclf.report.wording import describe_difference
from kerasclf.run.finished import FinishedRun, read_predictions
from kerasclf.run.layout import RunLayout
from kerasclf.statistics.bootstrap import compare


def compare_options(
    config: TrainConfig, size: str, mappings: Sequence[str]
) -> list[dict[str, Any]]:
    """Trains with each mapping.

    Args:
        config: data set, encoder, seed and output.
        size: number of training rows, or "all".
        mappings: options in YAML.

    Returns:
        Rows of the table.
    """
    runs = []
    for mapping in mappings:
        values = {**vars(config), **yaml.safe_load(mapping)}
        values["name"] = f"{config.dataset}-{size}-{config.seed}"
        found = train_once(TrainConfig(**values), partial(cut, size=size, or_all=True))
        assert found is not None
        runs.append(FinishedRun(mapping, RunLayout.open(found["run"]), found))
    predictions = read_predictions(runs, "validation")
    compared = partial(
        compare,
        predictions.class_ids,
        baseline=predictions.decided[mappings[0]],
        num_classes=len(predictions.labels),
        seed=config.seed,
    )
    return [
        {
            "data": config.dataset,
            "options": run.name,
            "network": round(run.metrics["training"]["best_val_macro_f1"], 3),
            "model": round(run.metrics["validation"]["macro_f1"], 3),
            "over the first": describe_difference(compared(predictions.decided[run.name])),
            "minutes": round(run.metrics["seconds"]["train"] / 60, 1),
        }
        for run in runs
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("encoder", help="a pretrained encoder, as kerasclf train --encoder")
    parser.add_argument("--datasets", nargs="+", default=["id-hate"])
    parser.add_argument("--size", default="all", help="training rows of each data set")
    parser.add_argument("--options", nargs="+", default=["{}"], help="mappings in YAML")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("runs/teachers"))
    asked = parser.parse_args(argv)
    rows: list[dict[str, Any]] = []
    for data_set in asked.datasets:
        config = TrainConfig(
            dataset=data_set, encoder=asked.encoder, seed=asked.seed, output=asked.output
        )
        rows += compare_options(config, asked.size, asked.options)
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
