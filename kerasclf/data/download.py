"""Files of registered data sets: from a mirror, the user's cache or the network, hash-checked."""

import contextlib
import os
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from kerasclf.errors import UserError

BASE_ADDRESS = "https://raw.githubusercontent.com"
MIRROR = "KERASCLF_MIRROR"
"""Environment variable: a folder or an address to use in place of `BASE_ADDRESS`."""


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set at a pinned commit.

    Attributes:
        path: OWNER/REPOSITORY/COMMIT/PATH, relative to `BASE_ADDRESS`.
        sha256: hexadecimal.
        split: train, validation or test; None if the file is not one split.
    """

    path: str
    sha256: str
    split: str | None = None


DEADLINE = 600
"""Seconds for a whole download: a server that sends a byte now and then would hold it for ever."""
LARGEST = 2**30
"""Bytes of a download."""
CHUNK = 2**16


def _download(address: str, output: str, _: object) -> None:
    """Downloads a file for pooch, within `DEADLINE` and `LARGEST`.

    Raises:
        OSError: the server cannot be reached, is too slow, or answers with an error or too much.
    """
    failures: list[Exception] = []

    def read() -> None:
        try:
            _read(address, output)
        except Exception as error:
            failures.append(error)

    # A thread: a server may send its headers as slowly as the file.
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(DEADLINE)
    if thread.is_alive():
        raise OSError(f"it takes more than {DEADLINE:g} s")
    if failures:
        raise OSError(str(failures[0]) or repr(failures[0])) from failures[0]


def _read(address: str, output: str) -> None:
    end, size = time.monotonic() + DEADLINE, 0
    with contextlib.ExitStack() as stack:
        # The timeout is that of each read.
        response = stack.enter_context(urllib.request.urlopen(address, timeout=30))
        if time.monotonic() > end:
            return
        file = stack.enter_context(open(output, "wb"))
        while (chunk := response.read1(CHUNK)) and time.monotonic() < end:
            size += len(chunk)
            if size > LARGEST:
                raise OSError(f"it has more than {LARGEST:,} bytes")
            file.write(chunk)


def fetch(file: RemoteFile) -> Path:
    """The local path of a file whose hash was checked; downloads it at most once.

    Raises:
        UserError: the file is not in the mirror, cannot be downloaded, or its hash does not match.
    """
    import pooch

    base = os.environ.get(MIRROR, BASE_ADDRESS).rstrip("/")
    if "://" not in base:
        path = Path(base) / file.path
        if not path.is_file():
            raise UserError(
                f"the mirror {base} ({MIRROR}) has no file {file.path}; add it or unset {MIRROR}"
            )
        if pooch.file_hash(str(path)) != file.sha256:
            raise UserError(
                f"{path} does not match the pinned SHA-256 {file.sha256[:12]}…; restore it or "
                f"unset {MIRROR}"
            )
        return path
    address = f"{base}/{file.path}"
    try:
        local = pooch.retrieve(
            address,
            known_hash=f"sha256:{file.sha256}",
            path=pooch.os_cache("kerasclf") / Path(file.path).parent,
            fname=Path(file.path).name,
            downloader=_download,
        )
    except ValueError as error:
        raise UserError(
            f"{address} does not match the pinned SHA-256 {file.sha256[:12]}…, so it was not used; "
            f"try again, or set {MIRROR} to a folder with a copy"
        ) from error
    except OSError as error:
        raise UserError(
            f"cannot download {address}: {error}; to use a local copy, set {MIRROR} to its folder"
        ) from error
    return Path(local)
