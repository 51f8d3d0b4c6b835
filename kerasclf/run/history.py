"""history.csv: the training history of a run, one row per epoch."""

import csv
from pathlib import Path
from typing import TypedDict

from kerasclf.files import replacing


class Epoch(TypedDict):
    """Figures of one epoch; its number is counted from 1."""

    epoch: int
    loss: float
    val_loss: float
    val_accuracy: float
    val_macro_f1: float
    seconds: float


HISTORY_COLUMNS = list(Epoch.__annotations__)


def read_history(path: Path) -> list[Epoch]:
    """Reads a `history.csv`; an empty list if there is no such file."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [
            Epoch(
                epoch=int(float(row["epoch"])),
                loss=float(row["loss"]),
                val_loss=float(row["val_loss"]),
                val_accuracy=float(row["val_accuracy"]),
                val_macro_f1=float(row["val_macro_f1"]),
                seconds=float(row["seconds"]),
            )
            for row in csv.DictReader(file)
        ]


def write_history(path: Path, history: list[Epoch]) -> None:
    """Writes a `history.csv`, whole or not at all."""
    with replacing(path) as beside, beside.open("w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()
        writer.writerows(history)
