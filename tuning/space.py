"""The search space: values of some training options, read from YAML."""

import difflib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.yaml_options import convert, read_yaml

SEARCHABLE = [field.name for field in fields(TrainConfig) if field.metadata.get("searchable")]
"""Options that a space may contain; the others select the data, its split or names."""


@dataclass(frozen=True)
class Space:
    """A search space.

    Attributes:
        choices: the values to choose from, by field of `TrainConfig`.
        source: what messages call it, such as "--space FILE".
    """

    choices: dict[str, list[Any]]
    source: str = "the space"

    @property
    def size(self) -> int:
        """Number of combinations."""
        return math.prod(len(values) for values in self.choices.values())

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Every combination once; the last field changes fastest."""
        for values in itertools.product(*self.choices.values()):
            yield dict(zip(self.choices, values, strict=True))

    def check(self, config: TrainConfig) -> None:
        """Checks that each value is in the range of its option.

        Raises:
            UserError: a value is out of range.
        """
        for key, values in self.choices.items():
            for value in values:
                try:
                    replace(config, **{key: value}).check()
                except UserError as error:
                    raise UserError(f"{self.source}: {error}") from error


PACKAGED = Path(__file__).parent / "spaces"
"""Folder of the spaces that are named without a suffix."""


def find_space(path: Path) -> Path:
    """The file of a space.

    Args:
        path: a file, or the name of a packaged space, such as bytes.

    Raises:
        UserError: there is neither.
    """
    if path.is_file():
        return path
    names = sorted(file.stem for file in PACKAGED.glob("*.yaml"))
    if str(path) in names:
        return PACKAGED / f"{path}.yaml"
    raise UserError(f"there is no --space {path}; expected a YAML file, or {', '.join(names)}")


def read_space(path: Path) -> Space:
    """Reads a search space.

    Args:
        path: a file, or the name of a packaged space.

    Raises:
        UserError: the file is missing, is not YAML, or has an unknown option or a wrong value.
    """
    path = find_space(path)
    return make_space(read_yaml(path, "--space"), f"--space {path}")


def make_space(loaded: Any, source: str) -> Space:
    """The space of a mapping from training options to lists of values.

    Args:
        loaded: what should be such a mapping.
        source: what messages call it.

    Raises:
        UserError: it has an unknown option or a wrong value.
    """
    if not isinstance(loaded, dict) or not loaded:
        raise UserError(
            f"{source} holds {type(loaded).__name__}; expected lines such as "
            "learning_rate: [1.0e-3, 3.0e-3]"
        )
    hints = get_type_hints(TrainConfig)
    choices = {}
    for key, values in loaded.items():
        _check_key(key, source)
        if not isinstance(values, list) or not values:
            raise UserError(f"{source} has {key}: {values!r}; expected a list of values")
        # null stands for a default that depends on the encoder: the leaderboard could not show it.
        if None in values:
            raise UserError(f"{source} has {key}: null; expected explicit values")
        choices[key] = [convert(key, hints[key], v, source) for v in values]
        if len(set(choices[key])) < len(values):
            raise UserError(f"{source} has a value of {key} twice; remove one")
    return Space(choices, source)


def _check_key(key: Any, source: str) -> None:
    if key in SEARCHABLE:
        return
    if key in {field.name for field in fields(TrainConfig)}:
        raise UserError(
            f"{source} has {key!r}, which is the same for all trials; remove it and set "
            f"--{key.replace('_', '-')}"
        )
    nearest = difflib.get_close_matches(str(key), SEARCHABLE, 1, 0)[0]
    raise UserError(f"{source} has {key!r}; perhaps you meant {nearest}")
