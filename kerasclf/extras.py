"""Optional packages, which only some commands need and the user installs as extras."""

import importlib.util

from kerasclf.errors import UserError


def check_installed(module: str, package: str, extra: str) -> None:
    """Checks that an optional package is installed, without importing it.

    Args:
        module: its import name.
        package: its name for pip.
        extra: the extra of kerasclf that installs it.

    Raises:
        UserError: it is not installed.
    """
    if importlib.util.find_spec(module) is None:
        raise UserError(
            f"needs {package}, which is not installed; "
            f"pip install -c constraints.txt -e '.[{extra}]'"
        )
