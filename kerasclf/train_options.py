"""Training options on the command line, shared by every command that takes them."""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from kerasclf.config import TrainConfig

OptionsT = TypeVar("OptionsT", bound=TrainConfig)


def default_options(argv: Sequence[str], options_class: type[OptionsT]) -> OptionsT:
    """Default values of the options of a command: those in `--config FILE`, if given.

    Args:
        argv: arguments of the command.
        options_class: dataclass of its options, with a field `config`.

    Raises:
        UserError: the file cannot be read, or does not hold training options.
    """
    finder = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    finder.add_argument("--config", type=Path)
    try:
        path = finder.parse_known_args(argv)[0].config
    except argparse.ArgumentError:
        path = None
    values: dict[str, Any] = {"config": path}
    if path:
        values |= vars(TrainConfig.from_yaml(path))
    return options_class(**values)


def train_config(options: TrainConfig) -> TrainConfig:
    """The training options among the options of a command."""
    names = (declared.name for declared in fields(TrainConfig))
    return TrainConfig(**{name: getattr(options, name) for name in names})
