"""Files of one prefix, PREFIX-00000-of-00004.parquet, that appear when all are whole.

They are written in a hidden folder beside the prefix and renamed at the end. A file under the
prefix is therefore whole, whatever happens; on a file system without a rename, such as an object
store, it is whole as soon as it is listed. A kill in the moment of renaming can leave fewer files
than their names say, or with --overwrite old ones among new ones; then run it again.
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
    """Files of the prefix that are there.

    Raises:
        UserError: the place cannot be written or looked at.
    """
    folder, name = os.path.split(prefix)
    if not name or os.path.isdir(prefix):
        raise UserError(f"--output {prefix} is a folder; expected a prefix such as scored/posts")
    if "://" not in prefix:
        check_writable(Path(prefix + "-"))
        paths = [os.path.join(folder, entry) for entry in _list(folder)]
    else:
        try:
            (found,) = FileSystems.match([f"{prefix}-*"])
        except (BeamIOError, ValueError) as error:
            raise UserError(f"--output {prefix}: {error}") from error
        paths = [metadata.path for metadata in found.metadata_list]
    return sorted(
        path
        for path in paths
        if path.startswith(prefix) and _SHARD.fullmatch(path.removeprefix(prefix))
    )


def _list(folder: str) -> list[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


@contextlib.contextmanager
def beside(prefix: str) -> Iterator[str]:
    """Yields a new folder near the prefix, which is removed at the end."""
    folder, name = os.path.split(prefix)
    place = f"{folder}/.{name}.{uuid.uuid4().hex[:8]}.partial"
    FileSystems.mkdirs(place)
    try:
        yield place
    finally:
        if "://" not in place:
            shutil.rmtree(place, ignore_errors=True)
        else:
            with contextlib.suppress(BeamIOError):
                FileSystems.delete([f"{place}/"])


def publish(prefix: str, shards: list[str], dead_letters: list[str], old: list[str]) -> list[str]:
    """Renames whole files to their places, and then removes old ones that they did not replace.

    Returns:
        The places.
    """
    places = [
        *_name(prefix + DEAD_LETTER, len(dead_letters), "jsonl"),
        *_name(prefix, len(shards), "parquet"),
    ]
    FileSystems.rename([*dead_letters, *shards], places)
    if stale := sorted(set(old) - set(places)):
        FileSystems.delete(stale)
    return places


def _name(prefix: str, count: int, suffix: str) -> list[str]:
    return [f"{prefix}-{i:05d}-of-{count:05d}.{suffix}" for i in range(count)]
