"""Lines for the user on stderr; stdout is for results alone."""

import contextlib
import os
import sys
from collections.abc import Iterator


def say(message: str) -> None:
    """Prints a line on stderr; stdout is for the result."""
    print(message, file=sys.stderr, flush=True)


def warn(message: str) -> None:
    """Prints a warning line on stderr."""
    say(f"warning: {message}")


@contextlib.contextmanager
def quiet_imports() -> Iterator[None]:
    """Hides the lines that TensorFlow prints while it is imported; `--debug` shows them.

    Its C++ code writes them to the file descriptor, before any setting can disable them.
    """
    if "--debug" in sys.argv:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
