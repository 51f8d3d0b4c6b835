"""An environment of packages for 64-bit ARM, which QEMU runs on other processors.

Needs the release of Debian or Ubuntu whose Python this is, but no rights: the packages of the
system are unpacked into a folder, and the system stays as it is.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.installing import run_installer

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
EMULATOR = "usr/bin/qemu-aarch64-static"
LIBRARIES = (
    *("libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libexpat1", "libffi8", "libssl3"),
    *("libbz2-1.0", "liblzma5", "libuuid1"),
)
PLATFORMS = [f"manylinux{tag}_aarch64" for tag in ("_2_34", "_2_28", "_2_27", "2014")]
"""Builds that the C library of Debian 12 and newer runs."""


def make_aarch64(folder: Path, requirements: Sequence[str]) -> None:
    """Puts QEMU, a Python for ARM and packages of PyPI into an empty folder.

    Raises:
        UnsupportedError: one of them cannot be had; says why.
    """
    packages, state = folder / "deb", folder / "apt"
    for part in (packages, state / "lists" / "partial", state / "archives" / "partial"):
        part.mkdir(parents=True)
    run_installer(["apt-get", "download", "qemu-user-static"], packages)
    # With a state of its own, apt need not add the architecture to the system.
    apt = [
        *("apt-get", "-o", "APT::Architecture=arm64", "-o", "APT::Architectures=arm64"),
        *("-o", f"Dir::State={state}", "-o", f"Dir::Cache={state}"),
        *("-o", "Dir::State::status=/dev/null"),
    ]
    run_installer([*apt, "update"], packages)
    python = (f"{PYTHON}-minimal", f"lib{PYTHON}-minimal", f"lib{PYTHON}-stdlib")
    run_installer([*apt, "download", *python, *LIBRARIES], packages)
    for package in packages.iterdir():
        run_installer(["dpkg", "-x", package.name, str(folder / "root")], packages)
    pip = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check")
    platforms = [f"--platform={name}" for name in PLATFORMS]
    target = ("--target", str(folder / "site"), "--only-binary=:all:")
    run_installer([*pip, *target, *platforms, *requirements], folder)
    for part in (packages, state):
        shutil.rmtree(part)


def find_python(folder: Path) -> list[str]:
    """The command that starts the Python of a finished environment."""
    root = folder / "root"
    emulator = (str(root / EMULATOR), "-L", str(root))
    return ["env", f"PYTHONPATH={folder / 'site'}", *emulator, str(root / "usr" / "bin" / PYTHON)]
