"""From teachers to a student's run: label the training rows and transfer sets, then train."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from export.distillation.config import DistillConfig
from export.distillation.students import labelling_seed
from export.distillation.teachers import average, baseline_teacher, run_teacher
from export.distillation.transfer import mix_texts
from kerasclf.files import load_record
from kerasclf.job.execute import run_job
from kerasclf.job.job import Job
from kerasclf.job.kept import find_kept
from kerasclf.job.prepare import resume_job
from kerasclf.run.layout import RunLayout
from kerasclf.training.distillation import SoftLabels


def train_student(
    job: Job,
    teachers: Sequence[RunLayout],
    config: DistillConfig,
    unlabelled: Sequence[str] = (),
    pile: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Trains a student on the labels and on the soft labels of its teachers.

    Example:

        ```python
        teachers = [RunLayout.open_network("runs/large")]
        config = DistillConfig(student="small", mixtures=10_000)
        job = prepare_student(teachers, config)
        train_student(job, teachers, config)["run"]  # 'runs/large-student/1'
        ```

    Args:
        job: of `prepare_student` for these teachers.
        teachers: at least one finished run, all of the same data.
        config: options of the distillation.
        unlabelled: texts that only the teachers label.
        pile: their description, of `read_pile`.

    Returns:
        The content of metrics.json, and the folder of the student's run under "run". A student
        that was trained before on the same soft labels is found or gone on with.
    """
    soft_labels = make_soft_labels(job, teachers, config, unlabelled)
    kept = find_kept(job.config, soft_labels)
    if kept is not None and not kept.is_partial:
        return {"run": str(kept.root), **load_record(kept.metrics)}
    if kept is not None:
        return run_job(resume_job(kept.root))
    distillation = {
        "teachers": [str(layout.root) for layout in teachers] + ["TF-IDF"] * config.baseline,
        "alpha": config.alpha,
        "temperature": config.temperature,
        "out_of_fold": config.out_of_fold,
        "mixtures": config.mixtures,
        **({"unlabelled": pile} if pile else {}),
    }
    return run_job(job, soft_labels, distillation=distillation)


def make_soft_labels(
    job: Job, teachers: Sequence[RunLayout], config: DistillConfig, unlabelled: Sequence[str]
) -> SoftLabels:
    """Averages the predictions of all teachers for the training rows and the transfer sets.

    Arguments are those of `train_student`.
    """
    seed = labelling_seed(teachers)
    fold_job = replace(job, config=replace(job.config, seed=seed))
    texts, _ = job.texts_and_class_ids("train")
    mixtures = mix_texts(texts, config.mixtures, seed) if config.mixtures else []
    # Predicted one set at a time, so that each is found in the cache whatever the other is.
    transfer_sets = [list(texts) for texts in (unlabelled, mixtures) if texts]
    models = [run_teacher(layout, job) for layout in teachers]
    if config.baseline:
        models.append(baseline_teacher(teachers[0], job))
    training, transfer = [], []
    for model in models:
        training.append(model.predict_training_rows(fold_job, config.out_of_fold))
        if transfer_sets:
            transfer.append(np.concatenate([model.predict(texts) for texts in transfer_sets]))
    weights = list(config.weights) or [1.0] * len(models)
    return SoftLabels(
        probabilities=average(training, weights),
        temperature=config.temperature,
        alpha=config.alpha,
        transfer_texts=[*unlabelled, *mixtures],
        transfer_probabilities=average(transfer, weights) if transfer else None,
    )
