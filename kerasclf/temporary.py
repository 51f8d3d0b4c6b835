"""Names of what is being written, by which the next writer finds what a killed process left."""

import contextlib
import hashlib
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_MACHINE = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
_NAME = re.compile(r"\.(\d+)-([0-9a-f]{6})\..+")
DAY = 24 * 3600
"""Seconds after which even what another machine was writing counts as left."""


def beside(path: Path) -> Path:
    """The hidden name beside `path` under which this process writes what shall become `path`.

    It ends as that of `path`, since writers choose the format by the suffix.
    """
    return path.with_name(f".{os.getpid()}-{_MACHINE}.{path.name}")


def is_temporary(path: Path) -> bool:
    """Whether `beside` made the name."""
    return _NAME.fullmatch(path.name) is not None


def is_left(path: Path) -> bool:
    """Whether `beside` made the name, and the process that wrote there has ended.

    Whether a process of another machine has ended cannot be known: one day is waited for it.
    """
    match = _NAME.fullmatch(path.name)
    if not match:
        return False
    return (match[2] == _MACHINE and not _is_running(int(match[1]))) or is_old(path)


def is_old(path: Path) -> bool:
    """Whether nothing was written to a file, or into a folder, for a day."""
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    try:
        return time.time() - max(file.lstat().st_mtime for file in files) > DAY
    except OSError:
        # It was renamed in this moment.
        return False


def remove(path: Path) -> None:
    """Removes a file or a folder, if it is there and this user may."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def making(path: Path) -> Iterator[Path]:
    """Yields the path `beside` a file or folder, and removes what is there at the end.

    What killed processes were writing for the same path is removed at the start.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = f".{path.name}"
    for left in os.scandir(path.parent):
        if left.name.endswith(suffix) and left.name != suffix and is_left(Path(left.path)):
            remove(Path(left.path))
    temporary = beside(path)
    try:
        yield temporary
    finally:
        remove(temporary)


def _is_running(process: int) -> bool:
    if sys.platform == "win32":
        import psutil

        return bool(psutil.pid_exists(process))
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        # Of another user; or no process can have this number.
        return True
    return True
