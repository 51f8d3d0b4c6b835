"""The address that the chief of a search listens at."""

import errno
import socket
from typing import NamedTuple, Self

from kerasclf.errors import UserError


class Address(NamedTuple):
    """Host and port of a chief."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads HOST:PORT.

        Raises:
            UserError: the text has another form.
        """
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise UserError(f"--chief is {text!r}; expected HOST:PORT")
        return cls(host, int(port))

    @classmethod
    def unused(cls) -> Self:
        """An unused port of this machine that other machines cannot reach."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return cls(*probe.getsockname())

    def is_free(self) -> bool:
        """Whether this process could listen here: the host is this machine, the port is unused.

        Raises:
            UserError: the host is unknown, or this user may not use the port.
        """
        with socket.socket() as probe:
            # As servers do: a port that was in use until a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(self)
            except OSError as error:
                if error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                    return False
                raise UserError(f"--chief is {str(self)!r}: {error.strerror}") from error
        return True
