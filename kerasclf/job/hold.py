"""One process a run: a lock that ends with its holder, however that ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from kerasclf.command import say
from kerasclf.errors import UserError
from kerasclf.layout import RunLayout


def is_held(layout: RunLayout) -> bool:
    """Whether a living process works on a partial run."""
    try:
        with layout.lock.open() as file:
            # Shared, and given back at once: who only looks does not hold.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def hold(layout: RunLayout) -> Iterator[None]:
    """Holds a partial run, and says how to go on if the user interrupts.

    Raises:
        UserError: another process holds it.
    """
    with layout.lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(
                f"{layout.root} is being trained by another process; wait for it or stop it"
            ) from error
        try:
            yield
        except KeyboardInterrupt:
            say(f"go on with kerasclf train --resume {layout.root}")
            raise
