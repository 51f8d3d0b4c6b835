"""A command as a process of its own, which is left to end or is disturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.small_disk import SmallDisk

SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
FULL = "full disk"
LONGEST_S = 1800
"""Seconds after which a command that nobody disturbs counts as hanging."""
DONE = "already exists"
"""What a command says whose output a former one has finished."""


def start(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    """Starts `kerasclf` in a folder, as the first process of a group."""
    return subprocess.Popen(
        [sys.executable, "-m", "kerasclf", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(arguments: list[str], folder: Path) -> None:
    """Runs a command to its end; that it was finished already is no failure.

    Raises:
        RuntimeError: it failed.
    """
    process = start(arguments, folder)
    _, errors = process.communicate(timeout=LONGEST_S)
    if process.returncode == 2 and DONE in errors:
        return
    if process.returncode:
        raise RuntimeError(f"{arguments[0]} exited with {process.returncode}: {errors[-1000:]}")


def interrupt(
    arguments: list[str], disk: SmallDisk, kind: str, moment: float, generator: random.Random
) -> tuple[bool, str | None]:
    """Starts a command and disturbs it.

    Returns:
        Whether it had not ended before, and what was wrong.
    """
    process = start(arguments, disk.folder)
    try:
        _, errors = process.communicate(timeout=moment)
    except subprocess.TimeoutExpired:
        pass
    else:
        allowed = process.returncode == 0 or DONE in errors
        return False, None if allowed else errors[-500:]
    if kind == FULL:
        with disk.filled(generator.randrange(2**16)):
            _, errors = process.communicate(timeout=LONGEST_S)
        lines = errors.strip().splitlines() or [""]
        said = process.returncode == 0 or "no space left" in lines[-1] or DONE in lines[-1]
        return process.returncode != 0, None if said else lines[-1][-500:]
    if kind == "SIGKILL":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.send_signal(SIGNALS[kind])
    process.communicate(timeout=LONGEST_S)
    _await_group(process.pid)
    return True, None


def _await_group(group: int) -> None:
    """Waits until no process of a group is left: workers end soon after their parent."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise RuntimeError("processes of a command that was stopped are still running")
