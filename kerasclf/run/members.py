"""The members of an ensemble and their weights."""

import os
from pathlib import Path

from kerasclf.encoders import find_encoder
from kerasclf.errors import UserError
from kerasclf.files import load_record, save_record
from kerasclf.run.layout import RunLayout


def write_members(layout: RunLayout, members: list[Path], weights: list[float]) -> None:
    """Writes the members with paths relative to the ensemble, so that they can move together."""
    places = [os.path.relpath(member.resolve(), layout.root.resolve()) for member in members]
    save_record(layout.ensemble, {"members": places, "weights": weights})


def read_members(layout: RunLayout) -> tuple[list[Path], list[float]]:
    """Reads folders and weights of the members.

    Raises:
        UserError: a member has been moved or deleted.
    """
    ensemble = load_record(layout.ensemble)
    root = layout.root.resolve()
    members = [Path(os.path.normpath(root / path)) for path in ensemble["members"]]
    for member in members:
        if not member.is_dir():
            raise UserError(
                f"{layout.root} is an ensemble whose member {member} is missing; move an ensemble "
                "together with its members, or create it again"
            )
    return members, ensemble["weights"]


def reads_bytes(layout: RunLayout) -> bool:
    """Whether exported files of a run take UTF-8 bytes; else they take token ids.

    Args:
        layout: a finished run; an ensemble reads bytes if all of its members do.
    """
    if layout.ensemble.is_file():
        return all(reads_bytes(RunLayout.open(member)) for member in read_members(layout)[0])
    return find_encoder(load_record(layout.metrics)["encoder"]).reads_bytes
