"""Files of one prefix, PREFIX-00000-of-00004.parquet, that appear once all are complete.

They are written in a hidden folder beside the prefix and renamed at the end. A file under the
prefix is therefore always complete; on a file system without rename, such as an object store, it
is complete as soon as it is listed. A kill while files are renamed can leave fewer files than their
names say or, with --overwrite, old files among new ones; in that case, run the command again.
"""

import contextlib
import glob
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from export.scoring.storage import find_files, find_system, is_local
from kerasclf.errors import UserError
from kerasclf.files import check_writable

DEAD_LETTER = "-dead-letter"
_SHARD = re.compile(rf"({DEAD_LETTER})?-\d{{5,}}-of-\d{{5,}}\.(parquet|jsonl)")
_LOCK = "lock"


def find_shards(prefix: str) -> list[str]:
    """Existing files of a prefix.

    Raises:
        UserError: the folder cannot be listed or written.
    """
    name = prefix.rpartition("/")[2]
    if not name or os.path.isdir(prefix):
        raise UserError(f"--output {prefix} is a folder; expected a prefix such as scored/posts")
    if is_local(prefix):
        check_writable(Path(prefix + "-"))
    return [
        path
        for path in find_files(f"{glob.escape(prefix)}-*", "--output")
        if _SHARD.fullmatch(path.removeprefix(prefix))
    ]


@contextlib.contextmanager
def temporary_folder(prefix: str) -> Iterator[str]:
    """Yields a new hidden folder beside the files of the prefix, and deletes it at the end.

    Folders that killed processes left are deleted at the start, if they are on this machine.
    """
    parent, _, name = prefix.rpartition("/")
    folder = f"{parent}/.{name}.{uuid.uuid4().hex[:8]}.partial"
    if not is_local(prefix):
        system, place = find_system(folder, "--output")
        system.makedirs(place)
        try:
            yield folder
        finally:
            with contextlib.suppress(OSError):
                system.rm(place, recursive=True)
        return
    for left in Path(parent).glob(f".{glob.escape(name)}.*.partial"):
        _remove_left(left)
    os.makedirs(folder)
    try:
        # The lock ends with this process, however that ends.
        with FileLock(f"{folder}/{_LOCK}"):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left(folder: Path) -> None:
    with contextlib.suppress(Timeout, OSError), FileLock(folder / _LOCK, timeout=0):
        shutil.rmtree(folder, ignore_errors=True)


def publish(prefix: str, shards: list[str], dead_letters: list[str], old: list[str]) -> list[str]:
    """Renames complete files to their final names, then deletes old files not replaced by them.

    Args:
        prefix: prefix of the final names.
        shards: paths of the files of labelled rows, in order.
        dead_letters: paths of the dead-letter files, in order.
        old: existing files of the prefix.

    Returns:
        The final paths.
    """
    paths = [
        *_name(prefix + DEAD_LETTER, len(dead_letters), "jsonl"),
        *_name(prefix, len(shards), "parquet"),
    ]
    stale = sorted(set(old) - set(paths))
    if is_local(prefix):
        for source, path in zip([*dead_letters, *shards], paths, strict=True):
            os.replace(source, path)
        for path in stale:
            os.unlink(path)
    else:
        system, _ = find_system(prefix, "--output")
        for source, path in zip([*dead_letters, *shards], paths, strict=True):
            system.mv(source, path)
        if stale:
            system.rm(stale)
    return paths


def _name(prefix: str, count: int, suffix: str) -> list[str]:
    return [f"{prefix}-{i:05d}-of-{count:05d}.{suffix}" for i in range(count)]
