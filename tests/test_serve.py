"""`kerasclf serve` as a process, and clients of other projects that talk to it."""

import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import urllib3
from chromium import chromium, find_chromium
from conftest import KEPT

pytest.importorskip("starlette", reason="needs the extra server")
pytest.importorskip("uvicorn", reason="needs the extra server")

import kerasclf
from kerasclf import client, serve
from kerasclf.run.layout import RunLayout

TEXTS = ["selamat pagi", "", "a\0b", "😀 é 日本", "thank you", "<b>&amp;</b>", "x" * 5000]
TIMEOUT_S = 120


@pytest.fixture(scope="module")
def runs(run, tmp_path_factory):
    """A folder of runs with one that keeps its light file."""
    folder = tmp_path_factory.mktemp("runs") / "greetings"
    shutil.copytree(run, folder / "1")
    KEPT[0](RunLayout.open(folder / "1"))
    return folder


@contextlib.contextmanager
def serving(*arguments):
    """A server on a free port: the process and its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kerasclf.serve", *map(str, arguments), "--port=0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stderr.readline()
        found = re.search(r"at (http://\S+)", line)
        assert found, line + process.stderr.read()
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def server(runs):
    with serving(runs, "--timeout=2", "--max-texts=5000", "--max-megabytes=1") as (process, url):
        yield process, url


def post(url, body, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with urllib3.PoolManager(retries=False) as pool:
        response = pool.request("POST", url, body=content, headers=headers, timeout=TIMEOUT_S)
        return response.status, json.loads(response.data)


@pytest.mark.parametrize("path", ["v1/models/greetings", "v2/models/greetings"])
@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_own_client(server, runs, path, version):
    expected = kerasclf.load(runs).predict(TEXTS)
    with client.connect(f"{server[1]}/{path}{version}") as model:
        found = model.predict(TEXTS)
    assert [p.label for p in found] == expected["predicted_label"].tolist()
    assert [p.review for p in found] == expected["review"].tolist()
    assert {p.version for p in found} == {1}
    np.testing.assert_allclose([p.confidence for p in found], expected["confidence"], atol=1e-6)


def test_no_tensorflow_is_loaded(server):
    maps = Path(f"/proc/{server[0].pid}/maps")
    if not maps.is_file():
        pytest.skip("reads /proc")
    assert "ai_edge_litert" in maps.read_text()
    # Nor what the image of examples/serve does not have.
    for package in ("tensorflow", "pandas", "scipy", "sklearn", "pyarrow"):
        assert f"/{package}/" not in maps.read_text()


@pytest.mark.parametrize("binary", [True, False])
def test_client_of_triton(server, runs, binary):
    triton = pytest.importorskip("tritonclient.http", reason="needs tritonclient[http]")
    address = server[1].removeprefix("http://")
    expected = kerasclf.load(runs).predict(TEXTS)
    with contextlib.closing(triton.InferenceServerClient(address)) as model:
        assert model.is_server_live()
        assert model.is_server_ready()
        assert model.is_model_ready("greetings")
        outputs = model.get_model_metadata("greetings")["outputs"]
        assert outputs[2] == {"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}
        texts = triton.InferInput("text", [len(TEXTS)], "BYTES")
        texts.set_data_from_numpy(np.array(TEXTS, dtype=object), binary_data=binary)
        response = model.infer("greetings", [texts], request_id="7", model_version="1")
    assert response.as_numpy("label").tolist() == expected["predicted_label"].tolist()
    found = response.as_numpy("probabilities")
    np.testing.assert_allclose(found, expected.filter(like="p_"), atol=1e-6)
    assert response.get_response()["id"] == "7"


def test_client_of_openvino_model_server(server, runs):
    ovms = pytest.importorskip("ovmsclient", reason="needs ovmsclient")
    expected = kerasclf.load(runs).predict(TEXTS)
    model = ovms.make_http_client(server[1].removeprefix("http://"))
    assert model.get_model_status("greetings")[1]["state"] == "AVAILABLE"
    found = model.predict({"text": TEXTS}, "greetings")
    assert found["label"].tolist() == expected["predicted_label"].tolist()
    np.testing.assert_allclose(found["probabilities"], expected.filter(like="p_"), atol=1e-6)


def test_routes_of_tf_serving(server):
    url = f"{server[1]}/v1/models/greetings"
    expected = post(f"{url}:predict", {"instances": ["halo"]})[1]["predictions"]
    b64 = {"b64": "aGFsbw=="}
    for body in ({"instances": [{"text": "halo"}]}, {"instances": [b64]}):
        assert post(f"{url}:predict", body) == (200, {"predictions": expected})
    for body in ({"inputs": ["halo"]}, {"inputs": {"text": [b64]}, "signature_name": ""}):
        status, answer = post(f"{url}/labels/stable:predict", body)
        assert status == 200
        assert answer["outputs"]["probabilities"] == [expected[0]["probabilities"]]
    status, answer = post(f"{url}:classify", {"examples": [{"text": "halo"}, {"text": ["halo"]}]})
    assert answer["results"][0] == answer["results"][1]
    assert [score for _, score in answer["results"][0]] == expected[0]["probabilities"]
    assert post(f"{url}:predict", {"instances": []}) == (200, {"predictions": []})
    with urllib3.PoolManager(retries=False) as pool:
        status = json.loads(pool.request("GET", url).data)["model_version_status"]
        assert [entry["version"] for entry in status] == ["1"]
        metadata = json.loads(pool.request("GET", f"{url}/metadata").data)
        assert metadata["metadata"]["labels"] == ["de", "en", "id"]
        metrics = pool.request("GET", f"{server[1]}/metrics").data.decode()
    assert re.search(r'kerasclf_texts_total\{model="greetings",version="1"\} \d', metrics)
    assert 'kerasclf_responses_total{status="200"}' in metrics


V1, V2 = "/v1/models/greetings:predict", "/v2/models/greetings/infer"
TENSOR = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a"]}
WRONG = {
    "not JSON": (V1, b"{", 400, "not JSON"),
    "deep": (V1, b"[" * 100_000, 400, "not JSON"),
    "a list": (V1, [], 400, "expected an object"),
    "nothing": (V1, {}, 400, "instances"),
    "a text": (V1, {"instances": "a"}, 400, "is a str; expected a list"),
    "a number": (V1, {"instances": ["a", 1]}, 400, "has a int at 1; expected a string"),
    "null": (V1, {"instances": [None]}, 400, "expected a string"),
    "base64": (V1, {"instances": [{"b64": "%"}]}, 400, "not base64"),
    "signature": (V1, {"instances": [], "signature_name": "x"}, 400, "no signature 'x'"),
    "texts": (V1, {"instances": ["a"] * 5001}, 413, "found 5,001 texts, expected at most 5,000"),
    "bytes": (V1, {"instances": ["a" * 2**20]}, 413, "send fewer texts"),
    "model": ("/v1/models/none:predict", {}, 404, "no model 'none'; expected one of greetings"),
    "version": ("/v1/models/greetings/versions/7:predict", {}, 404, "no version 7"),
    "label": ("/v1/models/greetings/labels/x:predict", {}, 404, "labels canary and stable"),
    "path": ("/v1/models", {}, 404, "Not Found"),
    "method": ("/v1/models/greetings", {}, 405, "Method Not Allowed"),
    "examples": ("/v1/models/greetings:classify", {"examples": ["a"]}, 400, "expected a string"),
    "no input": (V2, {"inputs": []}, 400, "expected one input"),
    "dtype": (V2, {"inputs": [{**TENSOR, "datatype": "FP32"}]}, 400, "FP32; expected BYTES"),
    "shape": (V2, {"inputs": [{**TENSOR, "shape": [2]}]}, 400, "but there are 1 texts"),
    "negative": (V2, {"inputs": [{**TENSOR, "shape": [-1]}]}, 400, "expected [n]"),
    "many sides": (V2, {"inputs": [{**TENSOR, "shape": [9**9] * 9}]}, 400, "the shape is"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_requests_are_refused_in_one_line(server, case):
    path, body, status, message = WRONG[case]
    found, answer = post(server[1] + path, body)
    assert found == status
    assert message in answer["error"]
    assert len(answer["error"]) < 400
    assert "\n" not in answer["error"]


def test_binary_tensors_that_are_cut(server):
    head = json.dumps({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1]}]}).encode()
    for tail in (b"\x01\x00", b"\x05\x00\x00\x00abc", b"\xff\xff\xff\xffa"):
        headers = {"Inference-Header-Content-Length": str(len(head))}
        status, answer = post(server[1] + V2, head + tail, **headers)
        assert (status, "ends inside" in answer["error"]) == (400, True)
    status, _ = post(server[1] + V2, head, **{"Inference-Header-Content-Length": "9999"})
    assert status == 400


def read_memory(process):
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
    return 0


def test_slow_and_endless_clients_do_not_stop_others(server):
    process, url = server
    host, port = url.removeprefix("http://").split(":")
    before = read_memory(process)
    head = f"POST {V1} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{{".encode()
    endless = f"POST {V1} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection((host, port))) for _ in range(100)]
        for place, connection in enumerate(slow):
            # Some have not sent the whole head.
            connection.sendall(head if place % 2 else head[:40])
        flood = stack.enter_context(socket.create_connection((host, port)))
        flood.settimeout(TIMEOUT_S)
        flood.sendall(endless)
        with contextlib.suppress(OSError):
            for _ in range(3000):
                flood.sendall(b"1000\r\n" + b"a" * 4096 + b"\r\n")
        assert flood.recv(100).startswith(b"HTTP/1.1 413")
        with client.connect(f"{url}/v1/models/greetings") as model:
            assert len(model.predict(TEXTS)) == len(TEXTS)
        slow[1].settimeout(TIMEOUT_S)
        assert slow[1].recv(100).startswith(b"HTTP/1.1 408")
        slow[0].settimeout(TIMEOUT_S)
        assert slow[0].recv(100) == b""
        # A later request on a connection has the same time.
        kept = stack.enter_context(socket.create_connection((host, port)))
        kept.settimeout(TIMEOUT_S)
        kept.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        received = b""
        while not received.endswith(b"}"):
            received += kept.recv(1000)
        assert received.startswith(b"HTTP/1.1 200")
        kept.sendall(b"GET /v2 HTTP/1.1\r\n")
        assert kept.recv(1000) == b""
    assert read_memory(process) < before + 40


def test_a_new_version_is_picked_up_while_requests_run(runs, tmp_path):
    folder = tmp_path / "greetings"
    shutil.copytree(runs, folder)
    seen, failures, stop = set(), [], threading.Event()
    with serving(folder) as (_, url):

        def ask():
            with client.connect(f"{url}/v1/models/greetings", retries=0) as model:
                while not stop.is_set():
                    try:
                        seen.update(p.version for p in model.predict(TEXTS[:2]))
                    except Exception as error:
                        failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        # A damaged one is refused, and the older one goes on.
        shutil.copytree(folder / "1", tmp_path / "2")
        (tmp_path / "2" / "labels.json").write_text("[]")
        (tmp_path / "2").rename(folder / "2")
        shutil.copytree(folder / "1", tmp_path / "3")
        (tmp_path / "3").rename(folder / "3")
        deadline = time.monotonic() + TIMEOUT_S
        while 3 not in seen and time.monotonic() < deadline:
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert seen == {1, 3}
        for label, version in (("canary", 3), ("stable", 1)):
            with client.connect(f"{url}/v1/models/greetings/labels/{label}") as model:
                assert model.predict(["a"])[0].version == version


def test_a_stopped_server_finishes_what_it_has_begun(runs):
    with serving(runs) as (process, url):
        answers = []
        texts = {"instances": ["selamat pagi"] * 10_000}
        asked = threading.Thread(
            target=lambda: answers.append(post(f"{url}/v1/models/greetings:predict", texts))
        )
        asked.start()
        with urllib3.PoolManager() as pool:
            while b"kerasclf_running 1.0" not in pool.request("GET", f"{url}/metrics").data:
                assert not answers
        process.send_signal(signal.SIGTERM)
        asked.join()
        assert answers[0][0] == 200
        assert len(answers[0][1]["predictions"]) == 10_000
        assert process.wait(TIMEOUT_S) == 0


def test_the_page(server, runs, tmp_path):
    program = find_chromium()
    expected = kerasclf.load(runs).predict(["<i>halo</i>"])
    shown = [f"{100 * p:.1f} %" for p in expected.filter(like="p_").iloc[0]]
    with chromium(program, tmp_path) as page:
        page.open(f"{server[1]}/")
        page.evaluate("document.getElementById('text').focus()")
        page.call("Input.insertText", text="<i>halo</i>")
        page.wait("document.querySelectorAll('#probabilities tr').length === 3")
        cells = "Array.from(document.querySelectorAll('#probabilities tr'), (r) => r.innerText)"
        rows = [row.split() for row in page.evaluate(cells)]
        assert rows == [
            [label, *share.split()] for label, share in zip(["de", "en", "id"], shown, strict=True)
        ]
        decided = page.evaluate("document.querySelector('.decided').innerText").split()
        assert decided[0] == expected["predicted_label"][0]
        assert page.evaluate("document.getElementById('choice').hidden")
        for scheme in ("light", "dark"):
            page.emulate(scheme, 360, 740)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.errors == []
        assert {request.split("/")[2] for request in page.requests} == {server[1].split("/")[2]}


BAD = {
    "no run": ([], "no run given"),
    "none": (["{dir}/none"], "no run"),
    "twice": (["{runs}", "{runs}"], "two models are called 'greetings'"),
    "port": (["{runs}", "--port=70000"], "expected 0 to 65535"),
    "taken": (["{runs}", "--port={port}"], "cannot listen on 127.0.0.1:.*; give another --port"),
    "texts": (["{runs}", "--max-texts=0"], "--max-texts is 0; expected a number above 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options(case, runs, tmp_path, capsys):
    arguments, message = BAD[case]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        places = {"runs": runs, "dir": tmp_path, "port": taken.getsockname()[1]}
        assert serve.main([argument.format(**places) for argument in arguments]) == 2
    assert re.search(message, capsys.readouterr().err.splitlines()[-1])
