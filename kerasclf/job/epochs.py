"""How often the training rows are passed over by default, if that depends on their number."""

import math

from kerasclf.config import BY_ROWS
from kerasclf.encoders import Encoder

FEWEST_EPOCHS = 2
"""Epochs at least, however many rows there are."""


def epochs_by_rows(encoder: Encoder, rows: int, batch_size: int, frozen: bool) -> dict[str, int]:
    """The default epochs and patience of an encoder whose training needs many steps.

    Of few rows, the usual number of epochs would be too few steps (Mosbach et al., On the Stability
    of Fine-tuning BERT, 2021, https://arxiv.org/abs/2006.04884); of many rows, half of it is
    enough.

    Args:
        encoder: its `least_steps` are not 0.
        rows: number of training rows.
        batch_size: rows per step.
        frozen: whether layers are frozen.
    """
    epochs, patience = (encoder.defaults[name] for name in BY_ROWS)
    steps = max(1, math.ceil(rows / batch_size))
    if frozen:
        passes = max(epochs, encoder.least_steps_frozen / steps)
    else:
        fewest = max(FEWEST_EPOCHS, encoder.enough_steps / steps)
        passes = max(min(epochs, fewest), encoder.least_steps / steps)
    factor = max(1.0, passes / epochs)
    return {"epochs": math.ceil(passes), "patience": math.ceil(patience * factor)}
