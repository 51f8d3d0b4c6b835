"""Optional packages, which only some commands need and the user installs as extras."""

import contextlib
import importlib.util
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from kerasclf.errors import UnsupportedError


def check_installed(module: str, package: str, extra: str) -> None:
    """Checks that an optional package is installed, without importing it.

    Args:
        module: its import name.
        package: its name for pip.
        extra: the extra of kerasclf that installs it.

    Raises:
        UnsupportedError: it is not installed.
    """
    if importlib.util.find_spec(module) is None:
        raise UnsupportedError(
            f'needs {package}, which is not installed; pip install "kerasclf[{extra}]"'
        )


def find_versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those of some packages that are installed, by the package's name for pip."""
    found = {}
    for name in packages:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
