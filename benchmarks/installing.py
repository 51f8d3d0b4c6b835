"""Environments for benchmarks: folders that are complete, or absent after an error."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from kerasclf.console import say_status
from kerasclf.errors import UnsupportedError
from kerasclf.temporary import making

ERRORS = ("E: ", "ERROR: ", "npm error ")
"""How lines of apt, pip and npm that give a reason start."""
DEADLINE = 1200
"""Seconds for one program."""


def make_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Returns a folder, which is made if it is missing.

    Args:
        folder: the folder.
        make: fills an empty folder, which is moved afterwards.

    Raises:
        UnsupportedError: what it needs cannot be installed here.
    """
    folder = folder.absolute()
    if not folder.is_dir():
        say_status(f"installing {folder.name}")
        with making(folder) as beside:
            beside.mkdir()
            make(beside)
            os.rename(beside, folder)
    return folder


def run_installer(command: Sequence[str], folder: Path) -> None:
    """Runs a program in a folder.

    Raises:
        UnsupportedError: the program is missing, failed or took too long; says why.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE,
        )
    except FileNotFoundError:
        raise UnsupportedError(f"needs the program {command[0]}") from None
    except subprocess.TimeoutExpired:
        raise UnsupportedError(f"{command[0]} did not end within {DEADLINE} s") from None
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.startswith(ERRORS)]
        raise UnsupportedError((reasons or [f"{command[0]} exited with {done.returncode}"])[0])
