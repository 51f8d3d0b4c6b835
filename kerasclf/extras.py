"""Packages that only some commands need, which the user installs as extras."""

import importlib.util

from kerasclf.errors import UserError


def check_installed(module: str, package: str, extra: str) -> None:
    """Checks that a package of an extra is there, without importing it.

    Args:
        module: name that it is imported by.
        package: name that it is installed by.
        extra: that brings it.

    Raises:
        UserError: it is not installed.
    """
    if importlib.util.find_spec(module) is None:
        raise UserError(
            f"needs {package}, which is not installed; "
            f"pip install -c constraints.txt -e '.[{extra}]'"
        )
