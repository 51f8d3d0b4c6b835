"""One process per folder: a lock that ends with its process, however that ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kerasclf.console import say
from kerasclf.errors import UserError
from kerasclf.run.layout import RunLayout


def is_held(layout: RunLayout) -> bool:
    """Whether a running process holds a partial run."""
    try:
        with layout.lock.open() as file:
            # A shared lock, released at once: looking does not hold the run.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


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
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(
                f"{folder} is being {work} by another process; wait for it, or stop it"
            ) from error
        yield


@contextmanager
def hold(layout: RunLayout) -> Iterator[None]:
    """Holds a partial run, and says how to resume it if the user interrupts.

    Raises:
        UserError: another process holds it.
    """
    with lock(layout.lock, layout.root, "trained"):
        try:
            yield
        except KeyboardInterrupt:
            say(f"resume with kerasclf train --resume {layout.root}")
            raise
