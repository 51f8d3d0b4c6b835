"""Weights of an unfinished run: arrays in a .npz.

Not HDF5: on a full disk, its library fails again when it closes the file, and ends the process.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kerasclf.files import replacing


def save_weights(path: Path, variables: Iterable[Any]) -> None:
    """Writes the values of variables, whole or not at all."""
    values = [np.asarray(variable) for variable in variables]
    with replacing(path) as beside, beside.open("wb") as file:
        np.savez(file, *values)


def load_weights(path: Path, variables: Iterable[Any]) -> None:
    """Assigns what `save_weights` wrote.

    Args:
        path: the file.
        variables: as many as were saved, with the same shapes.

    Raises:
        ValueError: they differ.
    """
    with np.load(path) as stored:
        for variable, name in zip(variables, stored.files, strict=True):
            variable.assign(stored[name])
