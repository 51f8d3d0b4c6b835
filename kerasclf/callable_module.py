"""Modules that can be called: `kerasclf.train` is a command as well as a function."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class CallableModule(ModuleType):
    """A module whose call is that of the function of its name in `kerasclf.api`."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Calls the function."""
        return getattr(import_module("kerasclf.api"), self.__name__.rpartition(".")[2])(
            *arguments, **options
        )


def make_callable(name: str) -> None:
    """Makes a module callable.

    Args:
        name: its `__name__`; nothing is done for "__main__".
    """
    if name != "__main__":
        sys.modules[name].__class__ = CallableModule
