"""Files on any file system of fsspec: a path is local unless it has a scheme, such as s3://."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import fsspec

from kerasclf.errors import UserError


def is_local(path: str) -> bool:
    """Whether a path has no scheme."""
    return "://" not in path


def find_system(path: str, option: str) -> tuple[Any, str]:
    """The file system of a path, and the path on it.

    Args:
        path: a local path or a URL.
        option: of the command, for messages.

    Raises:
        UserError: there is no such file system, or its package is not installed.
    """
    try:
        return fsspec.core.url_to_fs(path)
    except (ValueError, ImportError, OSError) as error:
        raise UserError(f"{option} {path}: {error}") from error


def absolute(path: str, option: str) -> str:
    """The path as `find_files` writes it; a trailing / stays."""
    if is_local(path):
        whole = os.path.abspath(path)
    else:
        system, place = find_system(path, option)
        whole = system.unstrip_protocol(place)
    return whole + "/" if path.endswith("/") and not whole.endswith("/") else whole


def open_source(path: str) -> IO[bytes]:
    """Opens a file for reading."""
    return open(path, "rb") if is_local(path) else fsspec.open(path, "rb").open()


@contextmanager
def create(path: str) -> Iterator[IO[bytes]]:
    """A new file for writing."""
    with open(path, "wb") if is_local(path) else fsspec.open(path, "wb").open() as file:
        yield file


def find_files(pattern: str, option: str) -> list[str]:
    """Paths of the files that match a pattern, sorted; local ones are absolute.

    Raises:
        UserError: the place cannot be listed.
    """
    if is_local(pattern) and os.path.isfile(pattern):
        return [os.path.abspath(pattern)]
    system, place = find_system(pattern, option)
    try:
        found = [path for path in system.glob(place) if system.isfile(path)]
    except (OSError, ValueError) as error:
        raise UserError(f"{option} {pattern}: {error}") from error
    return sorted(found if is_local(pattern) else map(system.unstrip_protocol, found))
