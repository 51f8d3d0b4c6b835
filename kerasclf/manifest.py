"""The SHA-256 of every file of a run, by which damage and changes are found."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from kerasclf.errors import UserError
from kerasclf.files import load_record, save_record

MANIFEST = "manifest.json"
_FILES = "sha256"


opened: set[Path] = set()
"""Folders of the finished runs that this process has opened."""


def write_manifest(root: Path) -> None:
    """Writes the manifest of a folder: all files in it, by their path from there."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.name != MANIFEST]
    save_record(root / MANIFEST, {_FILES: {_name(root, path): _hash(path) for path in files}})


def update_manifest(root: Path, files: Iterable[Path]) -> None:
    """Records files that a command has written into a finished run; an older run has no manifest.

    Args:
        root: folder of the run.
        files: files in it.
    """
    path = root / MANIFEST
    if path.is_file():
        record = load_record(path)
        record[_FILES] |= {_name(root, file): _hash(file) for file in files if file.is_file()}
        save_record(path, record)


def find_changes(root: Path) -> tuple[int, dict[str, str]]:
    """Compares the files of a run with its manifest; files that it does not list do not count.

    Args:
        root: folder of the run.

    Returns:
        Number of files in the manifest; and "changed" or "missing" by path of each that is.

    Raises:
        UserError: the run has no manifest, or it is damaged.
    """
    path = root / MANIFEST
    if not path.is_file():
        raise UserError(f"{root} has no {MANIFEST}: an earlier version wrote it; nothing to check")
    expected = load_record(path).get(_FILES)
    if not isinstance(expected, dict):
        raise UserError(f"{path} has no {_FILES!r}; expected the SHA-256 of each file")
    changes = {}
    for name, digest in expected.items():
        file = root / name
        if not file.is_file():
            changes[name] = "missing"
        elif _hash(file) != digest:
            changes[name] = "changed"
    return len(expected), changes


def find_damage() -> str | None:
    """The first file of an opened run that is not as it was written; None if there is none."""
    for root in sorted(opened):
        try:
            _, changes = find_changes(root)
        except (UserError, OSError):
            # Of an earlier version, or the manifest is damaged, too.
            continue
        for name, change in changes.items():
            return f"{root / name} is {change}"
    return None


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
