"""`kerasclf clean`: list and remove what killed processes left."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError

PLACES = (Path("runs"), Path("saved_models"))
"""Where commands write by default."""


@dataclass
class CleanOptions(command.Options):
    """List what killed processes left in folders of runs and exports; with --remove, remove it."""

    folders: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Folders to search, with all folders in them; default: runs and saved_models."""
    remove: bool = False
    """Remove files that were being written."""
    unfinished: bool = False
    """Remove interrupted runs, too, with which the same command would go on."""


def clean(options: CleanOptions) -> dict[str, Any]:
    """Finds what was left, and removes what the options say."""
    from kerasclf.run.leftovers import find_leftovers
    from kerasclf.temporary import remove

    for folder in options.folders:
        if not folder.is_dir():
            raise UserError(f"no folder {folder}; expected folders of runs or exports")
    folders = options.folders or tuple(place for place in PLACES if place.is_dir())
    found = []
    for item in find_leftovers(folders):
        size = item.size
        removed = options.unfinished if item.run else options.remove
        if removed:
            remove(item.path)
            if item.path.exists():
                raise UserError(f"cannot remove {item.path}; check who may write there")
        found.append(
            {"path": str(item.path), "bytes": size, "is_run": item.run, "removed": removed}
        )
    return {"leftovers": found}


def show(result: dict[str, Any]) -> None:
    """Prints what was found."""
    found = result["leftovers"]
    for item in found:
        state = "removed" if item["removed"] else "left"
        kind = "interrupted run" if item["is_run"] else "partial file or folder"
        print(f"{item['bytes'] / 2**20:8.1f} MiB  {state:7}  {kind:22}  {item['path']}")
    kept = [item for item in found if not item["removed"]]
    if not found:
        print("nothing was left")
    elif any(item["is_run"] for item in kept):
        print("the command that was interrupted goes on with its run; --unfinished removes runs")
    if any(not item["is_run"] for item in kept):
        print("--remove removes partial files and folders")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(CleanOptions), clean, show, argv, "kerasclf clean")


if __name__ == "__main__":
    sys.exit(main())
