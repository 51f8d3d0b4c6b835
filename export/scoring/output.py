"""Files of one prefix, PREFIX-00000-of-00004.parquet, that appear once all are complete.

They are written in a hidden folder beside the prefix and renamed at the end. A file under the
prefix is therefore always complete; on a file system without rename, such as an object store, it
is complete as soon as it is listed. A kill while files are renamed can leave fewer files than their
names say or, with --overwrite, old files among new ones; in that case, run the command again.
"""

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from kerasclf.errors import UserError
from kerasclf.files import check_writable

DEAD_LETTER = "-dead-letter"
_SHARD = re.compile(rf"({DEAD_LETTER})?-\d{{5,}}-of-\d{{5,}}\.(parquet|jsonl)")


def find_shards(prefix: str) -> list[str]:
    """Existing files of a prefix.

    Raises:
        UserError: the folder cannot be listed or written.
    """
    folder, name = os.path.split(prefix)
    if not name or os.path.isdir(prefix):
        raise UserError(f"--output {prefix} is a folder; expected a prefix such as scored/posts")
    if "://" not in prefix:
        check_writable(Path(prefix + "-"))
        paths = [os.path.join(folder, entry) for entry in _list(folder)]
    else:
        try:
            (match,) = FileSystems.match([f"{prefix}-*"])
        except (BeamIOError, ValueError) as error:
            raise UserError(f"--output {prefix}: {error}") from error
        paths = [metadata.path for metadata in match.metadata_list]
    return sorted(
        path
        for path in paths
        if path.startswith(prefix) and _SHARD.fullmatch(path.removeprefix(prefix))
    )


def _list(folder: str) -> list[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


@contextlib.contextmanager
def temporary_folder(prefix: str) -> Iterator[str]:
    """Yields a new hidden folder beside the files of the prefix, and deletes it at the end."""
    parent, name = os.path.split(prefix)
    folder = f"{parent}/.{name}.{uuid.uuid4().hex[:8]}.partial"
    FileSystems.mkdirs(folder)
    try:
        yield folder
    finally:
        if "://" not in folder:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            with contextlib.suppress(BeamIOError):
                FileSystems.delete([f"{folder}/"])


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
    FileSystems.rename([*dead_letters, *shards], paths)
    if stale := sorted(set(old) - set(paths)):
        FileSystems.delete(stale)
    return paths


def _name(prefix: str, count: int, suffix: str) -> list[str]:
    return [f"{prefix}-{i:05d}-of-{count:05d}.{suffix}" for i in range(count)]
