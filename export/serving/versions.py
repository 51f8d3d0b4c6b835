"""Numbered versions of a model, in the folder that a server watches.

The server reads every subfolder whose name is a number as a version and ignores the rest, so one
rename publishes or withdraws a version:

    N/              a version
    N.json          the run that it was exported from
    .N.partial/     a version that is being written, or was when its process was killed
    .N.withdrawn/   a version that was rolled back
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from kerasclf.console import say
from kerasclf.errors import UserError
from kerasclf.files import check_writable, load_record, save_record

WITHDRAWN = re.compile(r"\.([0-9]+)\.withdrawn")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LOCK = ".lock"


@contextmanager
def lock(root: Path) -> Iterator[None]:
    """Locks all models of a folder against other publishers; waits until the lock is free.

    The operating system releases the lock when the process ends, even if it is killed.

    Args:
        root: folder of all models.
    """
    root.mkdir(parents=True, exist_ok=True)
    held = FileLock(root / LOCK)
    try:
        held.acquire(timeout=0)
    except Timeout:
        say(f"waiting for another process that is publishing in {root}")
        held.acquire()
    try:
        yield
    finally:
        held.release()


@dataclass(frozen=True)
class Versions:
    """The versions of one model.

    Attributes:
        folder: `saved_models/NAME`.
    """

    folder: Path

    @property
    def name(self) -> str:
        """Name of the model on the server."""
        return self.folder.name

    def check(self) -> None:
        """Checks that the folder can have versions, and has nothing else.

        Raises:
            UserError: its name is not a model name, it cannot be written, or it has other files.
        """
        if not NAME.fullmatch(self.name):
            raise UserError(
                f"--to ends in {self.name!r}, which becomes the model's name; expected letters, "
                "digits, '.', '_' and '-'"
            )
        check_writable(self.folder / "new")
        for path in sorted(self.folder.glob("[!.]*")):
            if not path.name.removesuffix(".json").isdecimal():
                raise UserError(
                    f"--to {self.folder} has {path.name}; expected only versions, as in a folder "
                    "such as saved_models/NAME"
                )

    def published(self) -> list[int]:
        """Numbers of the versions that a server sees, ascending."""
        return sorted(int(path.name) for path in self.folder.glob("[0-9]*") if path.is_dir())

    def withdrawn(self) -> list[int]:
        """Numbers of the versions that were rolled back, ascending."""
        matches = (WITHDRAWN.fullmatch(path.name) for path in self.folder.glob(".*"))
        return sorted(int(match[1]) for match in matches if match)

    def next_number(self) -> int:
        """A number that no version has, not even one that was rolled back."""
        return max(self.published() + self.withdrawn(), default=0) + 1

    def version_labels(self) -> dict[str, int]:
        """Version of each version label: canary is the newest, stable the one before it.

        After a rollback both are the newest version that is left, which was stable before.
        """
        published = self.published()
        if not published:
            return {}
        newest = max(published + self.withdrawn())
        older = [number for number in published if number < newest]
        return {"stable": max(older, default=published[-1]), "canary": published[-1]}

    def record(self, number: int) -> dict[str, Any]:
        """The record of a version, as given to `publish`; {} if it is missing."""
        path = self.folder / f"{number}.json"
        return load_record(path) if path.is_file() else {}

    @contextmanager
    def writing(self, number: int) -> Iterator[Path]:
        """Yields the path of a new folder for a version; only `publish` keeps it.

        Call it under `lock`: it removes the files that killed processes left.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob(".*.partial"):
            shutil.rmtree(path)
        for path in self.folder.glob(".[0-9]*.json"):
            path.unlink()
        partial = self._partial(number)
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def publish(self, number: int, record: dict[str, Any]) -> Path:
        """Makes a written version visible to the server."""
        # The record comes first: every version that a server sees must have one.
        save_record(self.folder / f"{number}.json", record)
        return self._partial(number).rename(self.folder / str(number))

    def withdraw(self) -> int:
        """Hides the newest version from the server, and returns its number.

        Raises:
            UserError: there is no version to go back to.
        """
        published = self.published()
        if len(published) < 2:
            raise UserError(
                f"{self.folder} has {len(published)} version(s), expected at least 2; there is "
                "none to go back to"
            )
        newest = published[-1]
        (self.folder / str(newest)).rename(self.folder / f".{newest}.withdrawn")
        return newest

    def _partial(self, number: int) -> Path:
        return self.folder / f".{number}.partial"
