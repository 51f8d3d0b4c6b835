"""Servers that lie, drip or flood: each call ends within its time, with one line."""

import contextlib
import json
import socket
import threading
import time

import pytest

from kerasclf import cli, client
from kerasclf.client import bounded
from kerasclf.client.prediction import make_predictions
from kerasclf.data import download
from kerasclf.data.registry import DATA_SETS
from kerasclf.errors import UserError

ROW = {"label": "a", "class_id": 0, "probabilities": [0.75, 0.25], "review": False, "version": 1}


@contextlib.contextmanager
def serving(respond):
    """The URL of a server whose responses `respond(connection)` writes."""
    stop = threading.Event()

    def serve(listening):
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listening.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    respond(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1/models/m"
        finally:
            stop.set()
            thread.join()


def refuse(respond):
    """The message of the error that a response must raise."""
    with (
        serving(respond) as url,
        client.connect(url, retries=0) as model,
        pytest.raises(client.AnswerError) as caught,
    ):
        model.predict(["a"])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def answer(content, length=None):
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length or len(content)}\r\n\r\n".encode()
    return lambda connection: connection.sendall(head + content)


def drip(start):
    def respond(connection):
        connection.sendall(start)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)

    return respond


DRIPS = {
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n",
    "header": b"HTTP/1.1 200 OK\r\nX-Long: ",
    "status": b"HTTP/1.1 20",
}


@pytest.mark.parametrize("part", DRIPS)
def test_a_byte_now_and_then_does_not_hold_a_call(part):
    with serving(drip(DRIPS[part])) as url, client.connect(url, timeout=0.4, retries=0) as model:
        started = time.monotonic()
        with pytest.raises(client.DeadlineError, match=r"within 0\.4 s"):
            model.predict(["a"])
        # The server would take ten seconds.
        assert time.monotonic() - started < 8


def test_an_endless_body_is_not_kept(monkeypatch):
    monkeypatch.setattr(bounded, "MOST_BYTES", 100_000)
    monkeypatch.setattr("kerasclf.client.rest.MOST_BYTES", 100_000)
    flood = answer(b" " * 1_000_000, 10**12)
    assert "more than 100,000 bytes" in refuse(flood)


LIES = {
    "class id out of range": {"class_id": 2},
    "negative class id": {"class_id": -1},
    "infinite": {"probabilities": [float("inf"), 0.0]},
    "not a number": {"probabilities": [float("nan"), 1.0]},
    "no distribution": {"probabilities": [0.9, 0.9]},
    "no version": {"version": None},
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_no_prediction_is_refused(lie):
    with pytest.raises(client.AnswerError, match="the model's outputs are not") as caught:
        make_predictions([ROW | LIES[lie]], 1)
    assert "\n" not in str(caught.value)
    content = json.dumps({"predictions": [ROW | LIES[lie]]}).encode()
    refuse(answer(content))


def test_deep_json_is_refused():
    assert "expected JSON with predictions" in refuse(answer(b"[" * 100_000))


def test_a_label_with_escapes_is_printed_as_text(capsys):
    content = json.dumps({"predictions": [ROW | {"label": "\x1b[31mred\u202e"}]}).encode()
    with serving(answer(content)) as url:
        assert cli.main(["request", url, "a"]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\\x1b[31mred\\u202e" in printed


@pytest.mark.parametrize("part", ["body", "header"])
def test_a_mirror_that_drips_does_not_hold_a_download(part, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(download, "DEADLINE", 0.4)
    with serving(drip(DRIPS[part])) as url:
        monkeypatch.setenv(download.MIRROR, url)
        started = time.monotonic()
        with pytest.raises(UserError, match=r"cannot download .* more than 0\.4 s"):
            download.fetch(DATA_SETS["smsa"].files[0])
        assert time.monotonic() - started < 9
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_mirror_that_floods_fills_no_disk(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(download, "LARGEST", 1000)
    with serving(answer(b"x" * 100_000)) as url:
        monkeypatch.setenv(download.MIRROR, url)
        with pytest.raises(UserError, match=r"cannot download .* more than 1,000 bytes"):
            download.fetch(DATA_SETS["smsa"].files[0])
