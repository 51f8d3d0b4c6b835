"""A run behind KServe and MLServer, as examples/ and docs/serving.md put it there."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import urllib3

import kerasclf
from kerasclf import cli, client

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [
    *("selamat pagi", "thank you", "guten Morgen", "see you later Leeds", "saya makan nasi Solo"),
    *("", "a\0b", "😀👍🏽 é 日本", "x" * 5000, "<b>&amp;</b>"),
]
START_S = 120


def find_python(variable):
    """The interpreter of an environment in which another server is installed."""
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"needs {variable}, a Python that docs/serving.md says how to install")
    return Path(python)


def find_ports(count):
    """Free ports; another program may take one before the server does."""
    with contextlib.ExitStack() as stack:
        listening = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [server.getsockname()[1] for server in listening]


@contextlib.contextmanager
def running(command, log, ready, **variables):
    """A process that answers `ready` with 200; it and its children are killed afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)),
            env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, ready, log)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process, ready, log):
    end = time.monotonic() + START_S
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if pool.request("GET", ready).status == 200:
                    return
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def kserve(joined_run, tmp_path_factory):
    python = find_python("KERASCLF_KSERVE_PYTHON")
    (port,) = find_ports(1)
    command = [python, ROOT / "examples" / "kserve" / "model.py", f"--model_dir={joined_run}"]
    command += ["--model_name=greetings", f"--http_port={port}", "--enable_grpc=false"]
    url = f"http://127.0.0.1:{port}/v1/models/greetings"
    with running(command, tmp_path_factory.mktemp("kserve") / "log", url) as process:
        yield process, url


@pytest.fixture(scope="module")
def mlserver(joined_run, tmp_path_factory):
    python = find_python("KERASCLF_MLSERVER_PYTHON")
    folder = tmp_path_factory.mktemp("mlserver") / "greetings"
    shutil.copytree(ROOT / "examples" / "mlserver", folder)
    settings = json.loads((folder / "model-settings.json").read_text())
    settings |= {"name": "greetings", "parameters": {"uri": str(joined_run)}}
    (folder / "model-settings.json").write_text(json.dumps(settings))
    names = ("MLSERVER_HTTP_PORT", "MLSERVER_GRPC_PORT", "MLSERVER_METRICS_PORT")
    ports = dict(zip(names, map(str, find_ports(3)), strict=True))
    url = f"http://127.0.0.1:{ports['MLSERVER_HTTP_PORT']}/v2/models/greetings"
    command = [python.with_name("mlserver"), "start", folder]
    log = folder.parent / "log"
    with running(command, log, f"{url}/ready", MLSERVER_HOST="127.0.0.1", **ports) as process:
        yield process, url


@pytest.fixture(params=["kserve", "mlserver"])
def server(request):
    """The process of a server, and the URL of its model."""
    return request.getfixturevalue(request.param)


def check(found, classifier, texts):
    expected = classifier.predict(texts)
    assert [p.label for p in found] == expected["predicted_label"].tolist()
    assert [p.review for p in found] == expected["review"].tolist()
    assert {p.version for p in found} == {1}
    probabilities = classifier.predict_proba(texts)
    np.testing.assert_allclose([p.probabilities for p in found], probabilities, atol=1e-6)
    np.testing.assert_allclose([p.confidence for p in found], expected["confidence"], atol=1e-6)


@pytest.mark.slow
def test_answers_are_those_of_the_run(server, joined_run):
    classifier = kerasclf.load(joined_run)
    with client.connect(server[1]) as model:
        check(model.predict(TEXTS), classifier, TEXTS)
        for text in TEXTS:
            check(model.predict([text]), classifier, [text])
    # In several requests.
    with client.connect(server[1], batch_size=3) as model:
        check(model.predict(TEXTS), classifier, TEXTS)


@pytest.mark.slow
def test_request(server, joined_run, capsys):
    assert cli.main(["request", server[1], *TEXTS]) == 0
    lines = capsys.readouterr().out.splitlines()
    expected = kerasclf.load(joined_run).predict(TEXTS)
    assert [line.split()[0] for line in lines] == expected["predicted_label"].tolist()
    other = server[1].replace("greetings", "others")
    assert cli.main(["request", other, "a"]) == 2
    assert "returned status 404" in capsys.readouterr().err


@pytest.mark.slow
def test_no_tensorflow_is_loaded(server):
    maps = Path(f"/proc/{server[0].pid}/maps")
    if not maps.is_file():
        pytest.skip("reads /proc")
    assert "ai_edge_litert" in maps.read_text()
    assert "/tensorflow/" not in maps.read_text()


TENSOR = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a"]}
MISTAKES = {
    "no texts": ({}, {"inputs": []}),
    "a number": ({"instances": [1]}, {"inputs": [{**TENSOR, "data": [1.5]}]}),
    "a null": ({"instances": [None]}, {"inputs": [{**TENSOR, "data": [None]}]}),
    "one text": ({"instances": "a"}, {"inputs": [{**TENSOR, "data": "a"}]}),
    "datatype": ({"inputs": ["a"]}, {"inputs": [{**TENSOR, "datatype": "FP32"}]}),
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_refused(server, mistake):
    of_v1, of_v2 = MISTAKES[mistake]
    method, body = ("/infer", of_v2) if "/v2/" in server[1] else (":predict", of_v1)
    with urllib3.PoolManager(retries=False, timeout=60) as pool:
        response = pool.request("POST", server[1] + method, json=body)
    assert response.status == 400
    assert "expected" in response.json()["error"].lower()
