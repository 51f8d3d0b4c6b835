"""Drives a headless Chromium with the DevTools protocol, over a pipe.

`--dump-dom` is not enough: its virtual clock distorts measured times, and it cannot type.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-pipe",
)
TIMEOUT_S = 300
"""Limit for a response, and for a condition that a test waits for; a busy machine is slow."""


class Page:
    """One tab.

    Attributes:
        requests: URLs that the page requested.
        errors: messages of errors in the page.
    """

    def __init__(self, commands: int, responses: int):
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._commands, self._responses = commands, responses
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
        command = {"id": self._sent, "method": method, "params": parameters, **self._session}
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._receive(time.monotonic() + TIMEOUT_S)
            if message.get("id") == self._sent:
                assert "error" not in message, message
                return message["result"]
            self._record(message)

    def open(self, url: str) -> None:
        """Loads a URL; its scripts may still be waiting for something when this returns."""
        # Through an empty page, since a change of the fragment alone does not load the page again.
        for stop in ("about:blank", url):
            self._loaded = False
            self.call("Page.navigate", url=stop)
            while not self._loaded:
                self._record(self._receive(time.monotonic() + TIMEOUT_S))

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression: str) -> Any:
        """Waits until an expression is true, and returns its value."""
        until = time.monotonic() + TIMEOUT_S
        while time.monotonic() < until:
            if value := self.evaluate(expression):
                return value
            time.sleep(0.05)
        raise AssertionError(f"not true within {TIMEOUT_S} s: {expression}; {self.errors}")

    def emulate(self, scheme: str, width: int, height: int) -> None:
        """Sets the colour scheme, and the size in pixels."""
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
        """Writes the visible part of the page as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def _record(self, event: dict[str, Any]) -> None:
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
            ready, _, _ = select.select([self._responses], [], [], max(0, until - time.monotonic()))
            assert ready, "Chromium did not respond in time"
            part = os.read(self._responses, 1 << 20)
            assert part, "Chromium has exited"
            self._received += part
        message, self._received = self._received.split(b"\0", 1)
        return json.loads(message)


def find_chromium() -> str:
    """Path of the program; the test is skipped if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("needs the program chromium")
    return program


@contextmanager
def chromium(program: str, profile: Path) -> Iterator[Page]:
    """Runs Chromium with a fresh profile and yields a tab."""
    read_commands, commands = os.pipe()
    responses, write_responses = os.pipe()
    # Chromium reads from descriptor 3 and writes to descriptor 4, which the shell sets up.
    script = f'exec "$@" 3<&{read_commands} 4>&{write_responses}'
    browser = subprocess.Popen(
        ["bash", "-c", script, "bash", program, *ARGUMENTS, f"--user-data-dir={profile}"],
        pass_fds=(read_commands, write_responses),
        stderr=subprocess.DEVNULL,
    )
    os.close(read_commands)
    os.close(write_responses)
    try:
        page = Page(commands, responses)
        yield page
        page.call("Browser.close")
    finally:
        os.close(commands)
        os.close(responses)
        browser.terminate()
        browser.wait(timeout=30)
