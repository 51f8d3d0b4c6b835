"""What killed processes left in folders of runs and of exports."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kerasclf.run.hold import is_held, is_locked, is_unbegun
from kerasclf.run.layout import RunLayout
from kerasclf.temporary import is_left, is_old, is_temporary

LOCK = ".lock"
_RUN = re.compile(r"[0-9]+\.partial")
_BATCH = re.compile(r"\..+\.[0-9a-f]{8}\.partial")
"""Folder of `kerasclf batch`, which holds its file `lock`."""
_VERSION = re.compile(r"\.[0-9]+\.partial")
"""Folder of `kerasclf saved_model`, which holds `LOCK` of the folder of all models."""


@dataclass(frozen=True)
class Leftover:
    """A file or folder that a killed process left.

    Attributes:
        path: where it is.
        run: whether it is a run that was interrupted, with which its command goes on.
    """

    path: Path
    run: bool

    @property
    def size(self) -> int:
        """Bytes of its files."""
        files = self.path.rglob("*") if self.path.is_dir() else [self.path]
        return sum(file.lstat().st_size for file in files if file.is_file())


def find_leftovers(folders: Iterable[Path]) -> list[Leftover]:
    """Everything in folders that processes left which have ended.

    Args:
        folders: that exist; a folder in another one is searched once.
    """
    found = {item.path.resolve(): item for folder in folders for item in _search(folder)}
    return sorted(found.values(), key=lambda item: item.path)


def _search(folder: Path) -> Iterator[Leftover]:
    if is_locked(folder / LOCK):
        # A search that is running, or models that are being published.
        return
    for path in sorted(folder.iterdir()):
        if is_temporary(path):
            if is_left(path):
                yield Leftover(path, False)
        elif not path.is_dir() or path.is_symlink():
            continue
        elif _VERSION.fullmatch(path.name):
            if not is_locked(folder.parent / LOCK):
                yield Leftover(path, False)
        elif _BATCH.fullmatch(path.name):
            # Of Spark, there is no lock.
            if not is_locked(path / "lock") if (path / "lock").is_file() else is_old(path):
                yield Leftover(path, False)
        elif _RUN.fullmatch(path.name):
            layout = RunLayout(path)
            if is_unbegun(layout):
                yield Leftover(path, False)
            elif layout.config.is_file() and not is_held(layout):
                yield Leftover(path, True)
        else:
            yield from _search(path)
