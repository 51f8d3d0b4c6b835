"""Listens on a port until a signal stops the server."""

import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn

from kerasclf.errors import UserError
from kerasclf.server.app import App
from kerasclf.server.models import Models
from kerasclf.server.protocol import TimedProtocol
from kerasclf.server.requests import Limits

BACKLOG = 2048
CONNECTIONS = 1000
"""Requests at a time at most; others are refused with status 503."""
HEAD_BYTES = 16 * 2**10
"""Bytes of the head of a request at most."""


class _Server(uvicorn.Server):
    """A server for which a signal to stop is no error, once it has finished."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """While the server runs, both signals make it stop; uvicorn would raise them again."""
        kept = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)


def listen(
    models: Models, limits: Limits, host: str, port: int, started: Callable[[str], None]
) -> None:
    """Serves until SIGTERM or SIGINT, and then finishes the requests that are running.

    Args:
        models: the models.
        limits: limits of a request.
        host: address to listen on.
        port: port to listen on; 0 for a free one.
        started: called with the URL of the server once it listens.

    Raises:
        UserError: the port cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only if the protocol is named, asyncio turns off Nagle's algorithm, which costs 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise UserError(
                f"cannot listen on {host}:{port}: {error.strerror or error}; give another --port"
            ) from error
        listener.listen(BACKLOG)
        name = f"[{host}]" if ":" in host else host
        started(f"http://{name}:{listener.getsockname()[1]}")
        config = uvicorn.Config(
            App(models, limits, os.cpu_count() or 1).make(),
            http=partial(TimedProtocol, limits.seconds),  # type: ignore[arg-type]
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
            h11_max_incomplete_event_size=HEAD_BYTES,
            timeout_graceful_shutdown=max(1, round(limits.seconds)),
        )
        # What was loaded is not looked at by each garbage collection, which would take 20 ms.
        gc.collect()
        gc.freeze()
        _Server(config).run([listener])
