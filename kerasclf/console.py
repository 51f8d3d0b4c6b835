"""Lines for the user on stderr; stdout is for results alone."""

import contextlib
import logging
import os
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any


def printable(text: str) -> str:
    r"""A text without what a terminal would obey: control characters and marks of direction.

    >>> printable("a\x1b[31m \u202eb")
    'a\\x1b[31m \\u202eb'
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c == " " or unicodedata.category(c) in _SHOWN else _escape(c)
        for c in text
    )


_SHOWN = ("Zs", "Mn", "Me", "Mc", "Co", "Cn")
"""Categories that `str.isprintable` refuses and terminals do not obey."""


def _escape(character: str) -> str:
    # A joiner is part of emoji and of words of many scripts.
    return character if character in "\u200c\u200d" else repr(character)[1:-1]


def shorten(text: str, most: int = 500) -> str:
    """A text of at most `most` characters, without its middle.

    >>> shorten("abcdefghij", 5)
    'ab…ij'
    """
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def say(message: str) -> None:
    """Prints a line on stderr, since stdout is for the result; in a notebook, in place of the last.

    Warnings, by `warn`, stay.
    """
    if not _update_notebook(message):
        _print(message)


def _print(message: str) -> None:
    print(printable(message), file=sys.stderr, flush=True)


_displays: dict[int, Any] = {}
"""The line of a notebook's cell that is updated, by the number of its execution."""


def _update_notebook(message: str) -> bool:
    """Shows a line below the cell of a notebook that is running; False outside of notebooks."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or type(shell).__name__ != "ZMQInteractiveShell":
        return False
    from IPython.display import display

    content, cell = {"text/plain": message}, shell.execution_count
    if cell in _displays:
        _displays[cell].update(content, raw=True)
    else:
        _displays.clear()
        _displays[cell] = display(content, raw=True, display_id=True)
    return True


def say_once(message: str) -> None:
    """Prints a line, unless this process has printed it before: tables are read more than once."""
    if message not in _said:
        _said.add(message)
        say(message)


_said: set[str] = set()


def warn(message: str) -> None:
    """Prints a warning line on stderr."""
    _print(f"warning: {message}")


SLOW = 1.0
"""Seconds after which `status_if_slow` prints."""
_in_command = False


@contextlib.contextmanager
def status_lines() -> Iterator[None]:
    """While a command runs, `say_status` prints; functions called from Python stay silent."""
    global _in_command
    before, _in_command = _in_command, True
    try:
        yield
    finally:
        _in_command = before


def say_status(message: str) -> None:
    """Prints a line of a command about what it does now, before something that takes seconds."""
    if _in_command:
        say(message)


@contextlib.contextmanager
def run_if_slow(seconds: float, function: Callable[[], object]) -> Iterator[None]:
    """Calls a function in a thread, once, if the block takes longer than `seconds`."""
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def status_if_slow(message: str, seconds: float | None = None) -> Iterator[None]:
    """Prints a line of a command about what it does now, if that takes longer than usual."""
    with run_if_slow(SLOW if seconds is None else seconds, lambda: say_status(message)):
        yield


_hiding = threading.RLock()
"""Of two threads that hide stderr, the second would keep what the first one hid."""


@contextlib.contextmanager
def quiet_imports(package: str = "TensorFlow") -> Iterator[None]:
    """Hides the lines that TensorFlow prints while it is imported; `--debug` shows them.

    Its C++ code writes them to the file descriptor, before any setting can disable them; those that
    it would write later are disabled.

    Args:
        package: what is imported. Commands say so of TensorFlow, which takes seconds.
    """
    if package == "TensorFlow" and "tensorflow" not in sys.modules:
        say_status("starting TensorFlow")
    if "--debug" in sys.argv:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _hiding:
        sys.stderr.flush()
        kept = os.dup(2)
        try:
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            # It warns about several models in one process, each of which is traced once.
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
