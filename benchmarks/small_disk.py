"""A folder on a tmpfs that can be made full, where this user may mount one."""

import contextlib
import math
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

ROOM = 2**31
"""Bytes of the file system when it is not full."""
PAGE = 4096


class SmallDisk:
    """A context manager.

    Attributes:
        folder: an empty folder.
        mounted: whether it can be made full.
    """

    def __init__(self) -> None:
        """Makes the folder."""
        self.folder = Path(tempfile.mkdtemp())
        self.mounted = self._mount(f"size={ROOM}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def filled(self, left: int) -> Iterator[None]:
        """Leaves some bytes of room until the end of the block."""
        used = shutil.disk_usage(self.folder).used
        self._mount(f"remount,size={math.ceil((used + left + PAGE) / PAGE) * PAGE}")
        try:
            yield
        finally:
            self._mount(f"remount,size={ROOM}")

    def _mount(self, options: str) -> bool:
        try:
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", options, "none", str(self.folder)],
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            return False
        return done.returncode == 0
