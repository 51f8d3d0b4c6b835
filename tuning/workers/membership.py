"""The connection by which a machine joins a search and learns how it ended.

It is one gRPC call with a stream of replies. The chief replies once, to accept the machine, and
closes the stream when the search has ended; if the chief is stopped or killed, the call fails. So
the two cannot be confused, however slow a machine is or however long its workers take to start.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from kerasclf.errors import UserError
from tuning.workers.address import Address

SERVICE, METHOD, ACCEPTED = "kerasclf.Search", "Join", b"accepted"
PING_MS, PING_TIMEOUT_MS, MIN_PING_MS = 30_000, 60_000, 15_000
"""How a machine notices that the chief's machine is gone; the least the chief must tolerate."""


class Membership:
    """A machine's part in a search that a chief leads."""

    def __init__(self, call: grpc.Future, chief: Address):
        """Wraps a call that the chief has accepted."""
        self._call, self._chief = call, chief

    def has_ended(self, timeout: float) -> bool:
        """Waits for the end of the search.

        Args:
            timeout: longest wait in seconds.

        Returns:
            Whether the search has ended.

        Raises:
            RuntimeError: the chief stopped while the search was still running.
        """
        try:
            error = self._call.exception(timeout)
        except grpc.FutureTimeoutError:
            return False
        if error is not None:
            raise RuntimeError(
                f"the chief at {self._chief} stopped before the search ended; start it again, then "
                "this command"
            ) from error
        return True


@contextmanager
def join(chief: Address, fingerprint: str) -> Iterator[Membership | None]:
    """Joins a search, and leaves it when the block ends.

    Args:
        chief: where its chief listens.
        fingerprint: of the search.

    Yields:
        The membership; None if no chief responds there.

    Raises:
        UserError: the chief leads another search.
    """
    options = [
        ("grpc.keepalive_time_ms", PING_MS),
        ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    with grpc.insecure_channel(str(chief), options=options) as channel:
        call = channel.unary_stream(f"/{SERVICE}/{METHOD}")(fingerprint.encode())
        yield Membership(call, chief) if _is_accepted(call, chief) else None


def _is_accepted(call: Iterator[bytes], chief: Address) -> bool:
    """Waits until the chief accepts or refuses; False if no chief responds."""
    try:
        return next(call, None) == ACCEPTED
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
            raise UserError(
                f"the chief at {chief} leads another search or has other data; give the same "
                "options and data"
            ) from error
        return False
