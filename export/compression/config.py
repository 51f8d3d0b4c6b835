"""Options that pruning, weight clustering and QAT share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from kerasclf.config import RUNS


@dataclass
class FineTuneConfig:
    """How a run is fine-tuned while its network is compressed."""

    epochs: int = 1
    """Number of epochs of fine-tuning."""
    learning_rate: float = 4e-3
    """Learning rate at the start of fine-tuning; it decays to 0."""
    seed: int = 0
    """Seed of row order and dropout."""
    name: str | None = None
    """Name of the new run; default: the given run's name with a suffix."""
    output: Annotated[Path | None, RUNS] = None
    """Folder of all runs; default: that of the given run."""
