"""Files that are whole or absent: written beside their place, then renamed into it."""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasclf.console import shorten
from kerasclf.errors import FullDiskError, UserError
from kerasclf.temporary import making

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
"""Number of the format of every file that this version writes into runs, searches and exports."""
LEAST_BYTES = 2**20
"""Free space below which an error of a library means that the disk is full."""
_TABLE_FORMAT = b"kerasclf_format"


def table_name(path: Path) -> str:
    """What a table is called: the name of its file without suffixes.

    >>> table_name(Path("data/posts.csv.gz")), table_name(Path("v1.2.xlsx"))
    ('posts', 'v1.2')
    """
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def is_full_disk(error: BaseException) -> bool:
    """Whether an error says that there is no space left; TensorFlow raises one of its own."""
    if isinstance(error, OSError):
        # Or a quota is used up.
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, FullDiskError) or os.strerror(errno.ENOSPC) in str(error)


def has_room(folder: Path) -> bool:
    """Whether a file system has so much free space that an error is about something else."""
    return shutil.disk_usage(folder).free >= LEAST_BYTES


def full_disk(path: Path) -> FullDiskError:
    """The error of a file that there is no space for."""
    free = shutil.disk_usage(path.parent).free
    return FullDiskError(
        f"no space left for {path}: {free / 2**20:.1f} MiB are free, or the quota is used up; make "
        "room"
    )


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a path beside `path` that takes its place when the block ends without an error.

    Its name ends as that of `path`, since writers choose the format by the suffix.

    Raises:
        FullDiskError: there is no space left.
    """
    with making(path) as beside:
        try:
            yield beside
            os.replace(beside, path)
        except OSError as error:
            if not is_full_disk(error):
                raise
            # What was written so far is not counted as used.
            beside.unlink(missing_ok=True)
            raise full_disk(path) from error


def write_text(path: Path, text: str) -> None:
    """Writes `text` as UTF-8, whole or not at all."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        UserError: the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}") from error


@contextlib.contextmanager
def as_damage(path: Path) -> Iterator[None]:
    """Any error of the block but a `UserError` means that a file of a run is damaged.

    Args:
        path: the file or folder that the block reads.

    Raises:
        UserError: the block failed.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = shorten(f"{type(error).__name__}: {error}", 200)
        raise UserError(
            f"{path} is damaged ({reason}); restore the run from a copy, or train it again"
        ) from error


def save_record(path: Path, record: dict[str, Any]) -> None:
    """Writes a file of this project's own as JSON, with the number of its format.

    Args:
        path: where to; replaced whole or not at all.
        record: what `load_record` returns; has no key "format".
    """
    write_json(path, {"format": FORMAT, **record})


def load_record(path: Path) -> dict[str, Any]:
    """Reads what `save_record` wrote, also by versions that did not number their formats.

    Raises:
        UserError: the file is missing, is not JSON, is not an object, or has a newer format.
    """
    record = read_json(path)
    if not isinstance(record, dict):
        raise UserError(f"{path} holds {type(record).__name__}; expected a JSON object")
    check_format(path, record.pop("format", FORMAT))
    return record


def check_format(path: Path, number: object) -> None:
    """Checks the format number that a file of this project's own carries.

    Raises:
        UserError: this version does not read it.
    """
    if number != FORMAT:
        raise UserError(
            f"{path} has format {number!r}, expected {FORMAT}; it was written by "
            "another version of kerasclf; install that version"
        )


def save_table(path: Path, frame: "pd.DataFrame") -> None:
    """Writes a Parquet file of this project's own, whole or not at all, with its format number."""
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _TABLE_FORMAT: str(FORMAT).encode()}
    with replacing(path) as beside:
        pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), beside)


def load_table(path: Path, filters: list[tuple[str, str, object]] | None = None) -> "pd.DataFrame":
    """Reads what `save_table` wrote, also by versions that did not number their formats.

    Args:
        path: of the file.
        filters: as of `pandas.read_parquet`.

    Raises:
        UserError: the file is missing or damaged, or has a newer format.
    """
    import pandas as pd
    import pyarrow
    import pyarrow.parquet

    try:
        metadata = pyarrow.parquet.read_schema(path).metadata or {}
        check_format(path, int(metadata.get(_TABLE_FORMAT, FORMAT)))
        return pd.read_parquet(path, filters=filters)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def check_page(path: Path) -> None:
    """Checks that a plot or a page can be written to a file.

    Raises:
        UserError: its suffix is neither .svg nor .html, or its folder cannot be written.
    """
    if path.suffix.lower() not in (".svg", ".html"):
        raise UserError(f"--output is {path}; expected FILE.svg or FILE.html")
    check_writable(path)


def check_writable(path: Path) -> None:
    """Checks, without writing, that `path` can be created or replaced.

    Raises:
        UserError: a parent is not a folder, or this user may not write there.
    """
    if path.is_dir():
        raise UserError(f"cannot write {path}: it is a folder; choose another name")
    parent = path.absolute().parent
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        raise UserError(f"cannot write {path}: {parent} is not a folder; choose another place")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(f"cannot write {path}: no permission in {parent}; choose another place")
