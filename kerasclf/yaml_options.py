"""Options in YAML: files of them, and the types of their values."""

from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

from kerasclf.errors import UserError


def read_yaml(path: Path, flag: str) -> Any:
    """The content of a YAML file.

    Args:
        path: the file.
        flag: option that names the file, in messages.

    Raises:
        UserError: the file cannot be read, or is not YAML.
    """
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {flag} {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise UserError(f"{flag} {path} is not YAML: {error}") from error


def plain(value: Any) -> Any:
    """A value of an option as YAML has it: paths are strings, and tuples lists."""
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def to_yaml(options: Mapping[str, Any]) -> str:
    """Options as YAML, in their order."""
    import yaml

    values = {key: plain(value) for key, value in options.items()}
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def convert(key: str, hint: Any, value: Any, source: str) -> Any:
    """Converts a value of a YAML file to the type of a field, without guessing.

    Args:
        key: name of the field.
        hint: type of the field.
        value: value as read.
        source: name of the file in the message.

    Raises:
        UserError: the value has another type.
    """
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    for kind in kinds:
        if get_origin(kind) is Literal and value in get_args(kind):
            return value
        if get_origin(kind) is tuple and isinstance(value, list):
            if all(isinstance(entry, str) for entry in value):
                return tuple(value)
        elif kind is Path and isinstance(value, str):
            return Path(value)
        elif kind is float and type(value) in (int, float):
            return float(value)
        elif isinstance(kind, type) and type(value) is kind:
            return value
    names = ["null" if kind is NoneType else getattr(kind, "__name__", kind) for kind in kinds]
    raise UserError(
        f"{source} has {key}: {value!r}; expected {' or '.join(names)}"
        + (" (quote it)" if str in kinds or Path in kinds or "tuple" in str(hint) else "")
    )
