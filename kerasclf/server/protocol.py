"""HTTP connections whose requests must begin in time."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class TimedProtocol(H11Protocol):
    """A connection that is closed if the head of a request is not complete in time.

    uvicorn would wait for it for ever, and connections are counted.
    """

    def __init__(self, seconds: float, **arguments: Any):
        """Creates the protocol.

        Args:
            seconds: time from the connection, or from the first byte of a later request.
            **arguments: those of uvicorn.
        """
        super().__init__(**arguments)
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Starts the time."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(self._seconds, transport.close)

    def data_received(self, data: bytes) -> None:
        """Stops the time if the head is complete, and starts it if it is not."""
        super().data_received(data)
        waits = self.conn.their_state is h11.IDLE
        if waits and self._timer is None:
            self._timer = self.loop.call_later(self._seconds, self.transport.close)
        elif not waits and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the time."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)
