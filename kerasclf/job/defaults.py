"""Defaults that depend on the training rows: the width, and of some encoders the epochs."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kerasclf.config import BY_ROWS, TrainConfig
from kerasclf.data.width import choose_width
from kerasclf.encoders import Encoder, find_encoder

FEWEST_EPOCHS = 2
"""Epochs at least, however many rows there are."""


def fit_to_data(config: TrainConfig, texts: Sequence[str]) -> TrainConfig:
    """The configuration with the defaults that depend on the training texts filled in.

    These are the width; and, of an encoder that needs many steps, epochs and patience.

    Args:
        config: a resolved configuration.
        texts: training texts.
    """
    found: dict[str, Any] = {"max_bytes": config.max_bytes or choose_width(texts)}
    encoder = find_encoder(config.encoder)
    if encoder.least_steps:
        usual = epochs_by_rows(encoder, len(texts), config.batch_size, bool(config.freeze_layers))
        found |= {name: getattr(config, name) or usual[name] for name in BY_ROWS}
    return replace(config, **found)


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


def with_choices_of(asked: TrainConfig, config: TrainConfig) -> TrainConfig:
    """A configuration with what another one asks for of the options that `fit_to_data` fills in.

    Args:
        asked: a resolved configuration.
        config: one whose options are all filled in.
    """
    return replace(config, **{name: getattr(asked, name) for name in ("max_bytes", *BY_ROWS)})
