"""Cross-validation of a configuration on the training rows; the test rows are not read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kerasclf.data.sources import measured_columns
from kerasclf.decision.rule import fit_decision
from kerasclf.evaluation.predictions import prediction_frame
from kerasclf.evaluation.slices import measure_columns
from kerasclf.files import save_record, save_table, write_text
from kerasclf.job.folds import fold_folder, predict_out_of_fold, split_folds
from kerasclf.job.job import Job
from kerasclf.job.train_rows import make_trainer
from kerasclf.statistics.bootstrap import measure_once
from kerasclf.statistics.metrics import class_scores, confusion_matrix


@dataclass(frozen=True)
class CrossValidation:
    """The result of a cross-validation, as in crossval.json.

    Attributes:
        name: name of the runs of this configuration.
        data_sha256: digest of the data.
        rows: number of training rows.
        folds: metrics of each fold.
        mean: mean of each metric over the folds.
        std: standard deviation of each metric of one fold (not of the mean).
        per_class: precision, recall, F1 and support of each class over all held-out rows.
        by_source: figures of each source over all held-out rows; empty without `--source-column`.
        by_slice: figures of the values of each `--slice-column`, likewise.
        folder: folder of crossval.json, the configuration and the out-of-fold predictions.
    """

    name: str
    data_sha256: str
    rows: int
    folds: list[dict[str, float]]
    mean: dict[str, float]
    std: dict[str, float]
    per_class: dict[str, dict[str, float]]
    by_source: dict[str, dict[str, Any]]
    by_slice: dict[str, dict[str, Any]]
    folder: str


def cross_validate(job: Job, count: int) -> CrossValidation:
    """Trains on all folds but one, in turn, and measures the held-out fold.

    The validation rows of the job stop each training early and calibrate each model, as in a run,
    so that distillation can use the same folds for its teachers.

    Args:
        job: a prepared job that passes `check_folds`.
        count: number of folds.
    """
    config, labels, ordered = job.config, job.examples.labels, job.examples.ordered
    folder = fold_folder(config.output / config.name, config)
    log_probabilities, validation = predict_out_of_fold(
        config.name, make_trainer(config, job), job, count, folder
    )
    class_ids = job.texts_and_class_ids("train")[1]
    validation_class_ids = job.texts_and_class_ids("validation")[1]
    rows, costs, columns = job.rows("train"), job.costs(), measured_columns(config)
    decided = np.empty_like(class_ids)
    measured, frames = [], []
    for number, (_, held) in enumerate(split_folds(job, count, config.seed)):
        decision, _ = fit_decision(
            validation[number], validation_class_ids, costs, config.review_below, config.seed
        )
        of_fold = log_probabilities[held]
        decided[held] = decision.decide(of_fold)
        calibrated = decision.log_probabilities(of_fold)
        measured.append(measure_once(class_ids[held], decided[held], calibrated, ordered))
        frame = prediction_frame("train", rows.iloc[held], of_fold, decision, labels, columns)
        frames.append(frame.assign(fold=number + 1))
    scores = class_scores(confusion_matrix(class_ids, decided, len(labels)))
    figures = measure_columns(rows, columns, class_ids, decided, len(labels), config.seed)
    table = pd.DataFrame(measured)
    result = CrossValidation(
        name=config.name,
        data_sha256=job.findings["sha256"],
        rows=len(class_ids),
        folds=measured,
        mean={str(name): float(value) for name, value in table.mean().items()},
        std={str(name): float(value) for name, value in table.std(ddof=1).items()},
        per_class={
            label: {name: float(values[i]) for name, values in scores.items()}
            for i, label in enumerate(labels)
        },
        by_source=figures.get("by_source", {}),
        by_slice=figures.get("by_slice", {}),
        folder=str(folder),
    )
    write_text(folder / "config.yaml", config.to_yaml())
    save_table(folder / "predictions.parquet", pd.concat(frames, ignore_index=True))
    save_record(folder / "crossval.json", vars(result))
    return result
