"""`kerasclf crossval`: how a configuration does on rows it did not learn from, by folds."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.train import default_options


@dataclass
class CrossvalOptions(TrainConfig, command.Options):
    """Train and measure a configuration on folds of the training rows; test rows stay out."""

    folds: int = 5
    """Number of folds: stratified, and no group or near-duplicates in two of them."""
    config: Path | None = None
    """YAML file of these options, such as a run's config.yaml; the command line goes before it."""


def crossval(options: CrossvalOptions) -> dict[str, Any]:
    """Trains on all folds but one, in turn, and measures on that one.

    The validation rows of the job stop each training and fit each decision, as they do in `train`,
    so that the folds are those that distillation asks its teachers of.

    Returns:
        "folds", the measures of each; their "mean" and "std" (of one fold, not of the mean);
        "per_class" scores of all held rows together; and the "folder" with crossval.json and the
        out-of-fold predictions.

    Raises:
        UserError: something that the user gave does not fit; nothing was written.
    """
    import numpy as np
    import pandas as pd

    from kerasclf.files import replacing, write_json, write_text
    from kerasclf.job.folds import check_folds, fold_folder, folds, out_of_fold
    from kerasclf.job.prepare import prepare_job

    chosen = {field.name: getattr(options, field.name) for field in fields(TrainConfig)}
    job = prepare_job(TrainConfig(**chosen))
    check_folds(job, options.folds)

    # TensorFlow takes seconds to import: not before the data is known to be good.
    with command.quiet_imports():
        from kerasclf.decision.rule import fit_decision
        from kerasclf.evaluation.bootstrap import measure_once
        from kerasclf.evaluation.evaluate import prediction_frame
        from kerasclf.evaluation.metrics import class_scores, confusion_matrix
        from kerasclf.job.train_rows import train_run

    config, labels, ordered = job.config, job.examples.labels, job.examples.ordered
    folder = fold_folder(config.output / config.name, config)
    train = train_run(config, job)
    said, validation = out_of_fold(config.name, train, job, options.folds, folder)
    classes, validation_classes = (
        job.texts_and_classes(split)[1] for split in ("train", "validation")
    )
    rows = job.rows("train")
    decided = np.empty_like(classes)
    measured, frames = [], []
    for number, (_, held) in enumerate(folds(job, options.folds, config.seed)):
        decision, _ = fit_decision(
            validation[number], validation_classes, job.costs(), config.review_below, config.seed
        )
        decided[held] = decision.decide(said[held])
        logs = decision.log_probabilities(said[held])
        measured.append(measure_once(classes[held], decided[held], logs, ordered))
        frame = prediction_frame("train", rows.iloc[held], said[held], decision, labels)
        frames.append(frame.assign(fold=number + 1))
    scores = class_scores(confusion_matrix(classes, decided, len(labels)))
    table = pd.DataFrame(measured)
    result = {
        "name": config.name,
        "data_sha256": job.findings["sha256"],
        "rows": len(classes),
        "folds": measured,
        "mean": table.mean().to_dict(),
        "std": table.std(ddof=1).to_dict(),
        "per_class": {
            label: {name: float(values[i]) for name, values in scores.items()}
            for i, label in enumerate(labels)
        },
        "folder": str(folder),
    }
    write_text(folder / "config.yaml", config.to_yaml())
    with replacing(folder / "predictions.parquet") as beside:
        pd.concat(frames, ignore_index=True).to_parquet(beside, index=False)
    write_json(folder / "crossval.json", result)
    return result


def show(result: dict[str, Any]) -> None:
    """Prints the figures for people."""
    from kerasclf.report.crossval import print_crossval

    print_crossval(result)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    default = partial(default_options, options_class=CrossvalOptions)
    parser = command.parser(CrossvalOptions, default)
    return command.run(parser, crossval, show, argv, "kerasclf crossval")


if __name__ == "__main__":
    sys.exit(main())
