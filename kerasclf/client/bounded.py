"""HTTP requests that end: a deadline for the whole response, and a bound on its size."""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from kerasclf.console import run_if_slow

MOST_BYTES = 64 * 2**20
"""Of a response: 10,000 texts with 100 classes take some 25 MB."""
CHUNK = 65536


class TooLargeError(Exception):
    """A response is larger than `MOST_BYTES`."""


@contextlib.contextmanager
def _cut_after(seconds: Any, connection: HTTPConnection) -> Iterator[None]:
    """Shuts a connection down if the block takes longer: a server may send a byte now and then."""

    def cut() -> None:
        # OSError: it is closed already.
        with contextlib.suppress(OSError):
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

    if not isinstance(seconds, int | float):
        yield
        return
    with run_if_slow(seconds, cut):
        yield


class _Connection(HTTPConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        with _cut_after(self.timeout, self):
            return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        with _cut_after(self.timeout, self):
            return super().getresponse()


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def make_pool(connections: int, timeout: float) -> urllib3.PoolManager:
    """A pool of connections that are shut down when a response has not begun after the timeout."""
    pool = urllib3.PoolManager(maxsize=connections, timeout=timeout, retries=False)
    pool.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return pool


def request(pool: urllib3.PoolManager, url: str, body: bytes, timeout: float) -> tuple[int, bytes]:
    """Posts JSON; no redirect is followed.

    Args:
        pool: of `make_pool`.
        url: where to.
        body: JSON in UTF-8.
        timeout: seconds for the whole call.

    Returns:
        Status and content of the response.

    Raises:
        urllib3.exceptions.HTTPError: the connection failed; a TimeoutError if the time was up.
        TooLargeError: the content has more than `MOST_BYTES`.
    """
    end = time.monotonic() + timeout
    try:
        response = pool.request(
            "POST",
            url,
            body=body,
            headers={"Content-Type": "application/json"},
            redirect=False,
            preload_content=False,
        )
        content = bytearray()
        while chunk := response.read1(CHUNK):
            content += chunk
            if len(content) > MOST_BYTES or time.monotonic() > end:
                response.close()
                if len(content) > MOST_BYTES:
                    raise TooLargeError
                break
        else:
            # After a shutdown, the content ends early.
            if time.monotonic() <= end:
                response.release_conn()
                return response.status, bytes(content)
            response.close()
    except urllib3.exceptions.ProtocolError as error:
        # Perhaps this side has shut the connection down.
        if time.monotonic() < end:
            raise
        raise urllib3.exceptions.TimeoutError(str(error)) from error
    raise urllib3.exceptions.TimeoutError(f"the response took more than {timeout:g} s")
