"""What a search chooses from: the values of some training options, read from YAML."""

import difflib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from kerasclf.config import TrainConfig, convert
from kerasclf.errors import UserError

SEARCHABLE = (
    *("encoder", "max_bytes", "max_tokens"),
    *("buckets", "embedding_dim", "filters", "towers", "dropout"),
    *("sampler", "class_weights", "focal_gamma", "label_smoothing"),
    *("epochs", "patience", "batch_size", "learning_rate", "weight_decay", "warmup_share"),
    *("clip_norm", "mixed_precision"),
)
"""Fields of TrainConfig that a space may hold; the others choose the data, its split or names."""


@dataclass(frozen=True)
class Space:
    """The values to choose from, by field of TrainConfig."""

    choices: dict[str, list[Any]]

    @property
    def size(self) -> int:
        """Number of combinations."""
        return math.prod(len(values) for values in self.choices.values())

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Every combination once; the last field changes fastest."""
        for values in itertools.product(*self.choices.values()):
            yield dict(zip(self.choices, values, strict=True))

    def check(self, config: TrainConfig, path: Path) -> None:
        """Checks that each value is in the range of its option.

        Raises:
            UserError: one is not.
        """
        for key, values in self.choices.items():
            for value in values:
                try:
                    replace(config, **{key: value}).check()
                except UserError as error:
                    raise UserError(f"--space {path}: {error}") from error


def read_space(path: Path) -> Space:
    """Reads a space.

    Raises:
        UserError: the file is missing, is not YAML, or has an unknown key or a wrong value.
    """
    import yaml

    try:
        found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read --space {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise UserError(f"--space {path} is not YAML: {error}") from error
    if not isinstance(found, dict) or not found:
        raise UserError(
            f"--space {path} holds {type(found).__name__}; expected lines such as "
            "learning_rate: [1.0e-3, 3.0e-3]"
        )
    hints = get_type_hints(TrainConfig)
    choices = {}
    for key, values in found.items():
        _check_key(key, path)
        if not isinstance(values, list) or not values:
            raise UserError(f"--space {path} has {key}: {values!r}; expected a list of values")
        # The option's default is no value that a leaderboard could show.
        if None in values:
            raise UserError(f"--space {path} has {key}: null; expected only values")
        choices[key] = [convert(key, hints[key], v, f"--space {path}") for v in values]
        if len(set(choices[key])) < len(values):
            raise UserError(f"--space {path} has a value of {key} twice; leave one out")
    return Space(choices)


def _check_key(key: Any, path: Path) -> None:
    if key in SEARCHABLE:
        return
    if key in {field.name for field in fields(TrainConfig)}:
        raise UserError(
            f"--space {path} has {key!r}, which is the same for all trials; leave it out and set "
            f"--{key.replace('_', '-')}"
        )
    near = difflib.get_close_matches(str(key), SEARCHABLE, 1, 0)
    raise UserError(f"--space {path} has {key!r}; perhaps you meant {near[0]}")
