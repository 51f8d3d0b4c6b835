"""A headless Chromium, and a server on this machine for the pages that it opens."""

import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kerasclf.errors import UnsupportedError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--no-first-run"),
)


def find_browser() -> str:
    """Path of the browser.

    Raises:
        UnsupportedError: there is none.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise UnsupportedError(f"found no browser, expected one of {', '.join(PROGRAMS)}")
    return program


@contextmanager
def serve(handler: Callable[..., Any]) -> Iterator[str]:
    """Answers requests by a handler of `http.server`; yields the address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
