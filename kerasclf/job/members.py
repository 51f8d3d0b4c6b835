"""The members of an ensemble: which runs vote, and with what weights."""

import os
from pathlib import Path

from kerasclf.errors import UserError
from kerasclf.files import read_json, write_json
from kerasclf.layout import RunLayout


def write_members(layout: RunLayout, members: list[Path], weights: list[float]) -> None:
    """Writes the members of an ensemble, relative to it, so that all runs can move together."""
    places = [os.path.relpath(member.resolve(), layout.root.resolve()) for member in members]
    write_json(layout.ensemble, {"members": places, "weights": weights})


def read_members(layout: RunLayout) -> tuple[list[Path], list[float]]:
    """Folders and weights of an ensemble's members.

    Raises:
        UserError: a member is not where it was.
    """
    found = read_json(layout.ensemble)
    members = [Path(os.path.normpath(layout.root.resolve() / place)) for place in found["members"]]
    for member in members:
        if not member.is_dir():
            raise UserError(
                f"{layout.root} is an ensemble, and its member {member} is missing; move runs "
                "together with their ensemble, or make it again"
            )
    return members, found["weights"]
