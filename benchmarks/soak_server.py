"""A server that is stopped while it is asked."""

import re
import signal
import time
from pathlib import Path
from typing import Self

from benchmarks.soak_process import start
from kerasclf import client

TEXTS = ["selamat pagi", "good morning", "bis später", ""]
LONGEST_S = 120


class Server:
    """`kerasclf serve` as a process; a context manager that ends it."""

    def __init__(self, arguments: list[str], folder: Path):
        """Starts it, and waits until it listens.

        Args:
            arguments: of `kerasclf`.
            folder: where it is started.

        Raises:
            RuntimeError: it did not start.
        """
        self._process = start(arguments, folder)
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        found = re.search(r"(\S+) at (http://\S+)", line)
        if found is None:
            raise RuntimeError(f"the server did not start: {line}")
        self._url = f"{found[2]}/v1/models/{found[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self) -> str:
        """The answer to the texts."""
        with client.connect(self._url, retries=0) as model:
            return repr(model.predict(TEXTS))

    def disturb(self, number: signal.Signals, seconds: float, expected: str) -> str | None:
        """Asks for some seconds, sends a signal, and waits for the end; returns what was wrong."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.ask() != expected:
                return "an answer differs"
        self._process.send_signal(number)
        code = self._process.wait(LONGEST_S)
        allowed = (-number,) if number == signal.SIGKILL else (0, 1)
        return None if code in allowed else f"the server ended with {code}"
