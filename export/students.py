"""What a student of the bytes encoder is: its size, and how it is trained."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from kerasclf.config import TrainConfig
from kerasclf.job.prepare import same_data

SIZES: dict[str, dict[str, int]] = {
    "small": {"buckets": 16384, "embedding_dim": 16, "filters": 24},
    "medium": {"buckets": 32768, "embedding_dim": 24, "filters": 32},
}


def read_size(student: str) -> dict[str, Any]:
    """The options that a size's name, or a YAML file of training options, stands for."""
    if student in SIZES:
        return SIZES[student]
    chosen = TrainConfig.from_yaml(Path(student))
    return {k: v for k, v in vars(chosen).items() if v != getattr(TrainConfig(), k)}


def student_config(
    base: TrainConfig, name: str, split: Path, seed: int, size: dict[str, Any]
) -> TrainConfig:
    """The configuration of a student on a teacher's data, with nothing else of the teacher's.

    Args:
        base: of the teacher.
        name: of the student.
        split: folder of the run whose split it takes.
        seed: of the student.
        size: options that make the student what it is.
    """
    config = replace(same_data(base, name, split, seed), **size)
    if config.patience is None:
        # Soft labels are hard to learn by heart, and the last, slow epochs are worth the most.
        config = replace(config, patience=config.resolved().epochs)
    return config
