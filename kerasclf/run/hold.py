"""One process per folder: a lock that ends with its process, however that ends."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from kerasclf.console import say
from kerasclf.errors import FullDiskError, UserError
from kerasclf.files import full_disk, has_room, is_full_disk
from kerasclf.run.layout import RunLayout

NEW_SECONDS = 60
"""Age from which a folder without a lock does not count as new."""
PATIENCE = 0.5
"""Seconds to wait for a process that only looks whether a run is held."""


def is_held(layout: RunLayout) -> bool:
    """Whether a running process holds a partial run."""
    return is_locked(layout.lock)


def is_locked(path: Path) -> bool:
    """Whether a running process holds a lock; its file need not exist."""
    if not path.is_file():
        return False
    try:
        # Released at once: whoever wants to hold it in this moment waits for it.
        with FileLock(path, timeout=0):
            return False
    except (Timeout, OSError):
        # OSError: this user may not lock it, so that it is another one's.
        return True


def remove_unbegun(folder: Path) -> None:
    """Removes runs whose process was killed before they could be resumed.

    Args:
        folder: of all runs of a name; it need not exist.
    """
    for layout in RunLayout.all_of(folder) if folder.is_dir() else []:
        if is_unbegun(layout):
            shutil.rmtree(layout.root, ignore_errors=True)


def is_unbegun(layout: RunLayout) -> bool:
    """Whether the process of a run was killed before the run could be resumed."""
    if not layout.is_partial or layout.config.is_file() or is_held(layout):
        return False
    # A folder is locked right after it was created.
    return layout.lock.is_file() or time.time() - layout.root.stat().st_mtime > NEW_SECONDS


@contextmanager
def lock(path: Path, folder: Path, work: str) -> Iterator[None]:
    """Holds a folder by a lock on one of its files.

    Args:
        path: the file.
        folder: the folder, for the message.
        work: what its holder does with it, for the message.

    Raises:
        UserError: another process holds it.
    """
    held = FileLock(path, timeout=PATIENCE)
    try:
        held.acquire()
    except Timeout as error:
        raise UserError(
            f"{folder} is being {work} by another process; wait for it, or stop it"
        ) from error
    try:
        yield
    finally:
        held.release()


def _is_full(error: Exception, folder: Path) -> bool:
    """Whether an error means that there is no space left in a folder."""
    if is_full_disk(error) or isinstance(error, OSError | UserError):
        return is_full_disk(error)
    # TensorFlow does not always say why it cannot write a log.
    return not has_room(folder)


@contextmanager
def hold(layout: RunLayout) -> Iterator[None]:
    """Holds a partial run, and says how to resume it if the user interrupts or the disk is full.

    Raises:
        FullDiskError: there is no space left.
        UserError: another process holds it.
    """
    with lock(layout.lock, layout.root, "trained"):
        try:
            yield
        except KeyboardInterrupt:
            say(f"resume with kerasclf train --resume {layout.root}")
            raise
        except Exception as error:
            if not _is_full(error, layout.root):
                raise
            found = error if isinstance(error, FullDiskError) else full_disk(layout.root)
            resumed = f"{found}, and go on with kerasclf train --resume {layout.root}"
            raise FullDiskError(resumed) from error
