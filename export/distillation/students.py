"""Students: what is known of them before their teachers are loaded; imports no TensorFlow."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from export.distillation.config import SIZES, DistillConfig
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.job.job import Job
from kerasclf.job.prepare import prepare_job, same_data
from kerasclf.run.layout import RunLayout


def prepare_student(teachers: Sequence[RunLayout], config: DistillConfig) -> Job:
    """Prepares the job that trains a student on the data and split of its first teacher.

    Args:
        teachers: at least one finished run, all of the same data.
        config: options of the distillation that pass its `check`.

    Raises:
        UserError: the teachers' labels differ, or the student's options are wrong.
    """
    if len({layout.read_labels() for layout in teachers}) > 1:
        raise UserError("the runs have different labels; expected teachers of the same data")
    first = teachers[0]
    base = TrainConfig.from_yaml(first.config)
    name = config.name or f"{base.name}-student"
    student = student_config(base, name, first.root, config.seed, read_size(config.student))
    return prepare_job(replace(student, output=config.output or student.output))


def labelling_seed(teachers: Sequence[RunLayout]) -> int:
    """The seed of folds, mixtures and the sample of a pile: that of the first teacher.

    Students of several seeds then share what their teachers labelled.
    """
    return TrainConfig.from_yaml(teachers[0].config).seed


def read_size(student: str) -> dict[str, Any]:
    """The training options that a value of --student stands for: a size or a YAML file.

    Raises:
        UserError: the file cannot be read, or does not hold training options.
    """
    if student in SIZES:
        return SIZES[student]
    config, default = TrainConfig.from_yaml(Path(student)), TrainConfig()
    return {key: value for key, value in vars(config).items() if value != getattr(default, key)}


def student_config(
    base: TrainConfig, name: str, split: Path, seed: int, size: dict[str, Any]
) -> TrainConfig:
    """The configuration of a student: the data of its teacher, and default training options.

    Args:
        base: configuration of the teacher.
        name: name of the student's run.
        split: folder of the run whose split is used again.
        seed: seed of the student.
        size: training options that differ from their defaults.
    """
    config = replace(same_data(base, name, split, seed), **size)
    if config.patience is None:
        # Soft labels are hard to overfit, and the last epochs, at a low learning rate, gain most.
        config = replace(config, patience=config.resolved().epochs)
    return config
