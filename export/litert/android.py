"""Runs the official benchmark_model on an Android device, through adb."""

import shutil
import subprocess
from pathlib import Path

from kerasclf.errors import UserError

ON_DEVICE = "/data/local/tmp"


def check_device() -> None:
    """Checks that adb is installed and finds a device.

    Raises:
        UserError: it is not, or does not.
    """
    if shutil.which("adb") is None:
        raise UserError(
            "--adb needs the program adb, which is not installed; install Android platform tools"
        )
    listing = subprocess.run(["adb", "devices"], capture_output=True, text=True, check=False)
    if "\tdevice" not in listing.stdout:
        raise UserError("--adb found no Android device; connect one and allow USB debugging")


def measure_on_device(file: Path) -> dict[str, str]:
    """Pushes a file to the device and runs benchmark_model there, on one thread.

    Returns:
        "file", and "benchmark_model", the lines that it printed.

    Raises:
        UserError: benchmark_model is not on the device, or failed.
    """
    target = f"{ON_DEVICE}/{file.name}"
    subprocess.run(["adb", "push", str(file), target], check=True, capture_output=True)
    program = f"{ON_DEVICE}/benchmark_model"
    done = subprocess.run(
        ["adb", "shell", program, f"--graph={target}", "--num_threads=1", "--enable_op_profiling"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(
            f"benchmark_model failed on the device: {done.stderr.strip()[:200]}; push the official "
            f"binary to {program} and make it executable"
        )
    return {"file": str(file), "benchmark_model": done.stdout}
