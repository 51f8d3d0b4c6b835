"""Drives a headless Chromium by its DevTools protocol, over a pipe.

`--dump-dom` would not do: its virtual clock makes nonsense of measured times, and it cannot type.
"""

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-pipe",
)
TIMEOUT_S = 60
"""For an answer, and for what a test waits for; a busy machine takes long."""


class Page:
    """One tab. `requests` and `errors` gather what it asked for and what went wrong in it."""

    def __init__(self, commands: int, answers: int):
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._commands, self._answers = commands, answers
        self._received = b""
        self._sent = 0
        self._loaded = False
        self._session: dict[str, str] = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends a command and returns its result."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": parameters, **self._session}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive(time.monotonic() + TIMEOUT_S)
            if answer.get("id") == self._sent:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def open(self, address: str) -> None:
        """Loads an address; what its scripts wait for may come later."""
        # By way of an empty page: another fragment alone would load nothing anew.
        for stop in ("about:blank", address):
            self._loaded = False
            self.call("Page.navigate", url=stop)
            while not self._loaded:
                self._note(self._receive(time.monotonic() + TIMEOUT_S))

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression: str) -> Any:
        """The first true value of an expression."""
        until = time.monotonic() + TIMEOUT_S
        while time.monotonic() < until:
            if value := self.evaluate(expression):
                return value
            time.sleep(0.05)
        raise AssertionError(f"not true in time: {expression}; {self.errors}")

    def look(self, scheme: str, width: int, height: int) -> None:
        """Takes a colour scheme, and a size in pixels."""
        scheme_feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[scheme_feature])
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def screenshot(self, path: Path) -> None:
        """Writes what is seen as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Page.loadEventFired":
            self._loaded = True
        elif event.get("method") == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(parameters["exceptionDetails"]["text"])
        elif event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(parameters["entry"]["text"])

    def _receive(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._answers], [], [], max(0, until - time.monotonic()))
            assert ready, "Chromium did not answer in time"
            part = os.read(self._answers, 1 << 20)
            assert part, "Chromium has gone"
            self._received += part
        message, self._received = self._received.split(b"\0", 1)
        return json.loads(message)


@contextmanager
def chromium(program: str, profile: Path) -> Iterator[Page]:
    """Runs Chromium with a fresh profile and yields a tab."""
    read_commands, commands = os.pipe()
    answers, write_answers = os.pipe()
    # Chromium reads its descriptor 3 and writes its descriptor 4; the shell puts them there.
    script = f'exec "$@" 3<&{read_commands} 4>&{write_answers}'
    browser = subprocess.Popen(
        ["bash", "-c", script, "bash", program, *ARGUMENTS, f"--user-data-dir={profile}"],
        pass_fds=(read_commands, write_answers),
        stderr=subprocess.DEVNULL,
    )
    os.close(read_commands)
    os.close(write_answers)
    try:
        page = Page(commands, answers)
        yield page
        page.call("Browser.close")
    finally:
        os.close(commands)
        os.close(answers)
        browser.terminate()
        browser.wait(timeout=30)
