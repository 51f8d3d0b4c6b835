"""Where the chief listens, and whether it does."""

import errno
import socket
import time

from kerasclf.errors import UserError

JOIN_SECONDS = 60


def choose_address(chief: str | None) -> tuple[tuple[str, int], bool]:
    """Finds the chief's place, and whether this process is to lead.

    Args:
        chief: HOST:PORT; if that is a free port of this machine, the process leads.

    Raises:
        UserError: it is no address.
    """
    if chief is None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return free.getsockname(), True
    host, _, port = chief.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UserError(f"--chief is {chief!r}; expected HOST:PORT")
    address = (host, int(port))
    with socket.socket() as probe:
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                return address, False
            raise UserError(f"--chief is {chief!r}: {error.strerror}") from error
    return address, True


def answers(address: tuple[str, int]) -> bool:
    """Whether something listens there."""
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError:
        return False
    return True


def await_chief(address: tuple[str, int]) -> None:
    """Waits until the chief listens.

    Raises:
        UserError: it does not.
    """
    end = time.monotonic() + JOIN_SECONDS
    while not answers(address):
        if time.monotonic() > end:
            raise UserError(
                f"no search answers at {address[0]}:{address[1]}; start it on that machine first"
            )
        time.sleep(0.1)
