import contextlib
import json
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
import urllib3

pytest.importorskip("tensorflow_serving", reason="needs the extra serving")

import grpc
from model_server import ModelServer
from tensorflow_serving.apis import classification_pb2, prediction_service_pb2_grpc

from export.program.golden import GOLDEN_TEXTS
from kerasclf import cli, client
from kerasclf.classifier import KerasClassifier
from kerasclf.client.load import LoadReport, draw_due_times, summarize_latencies
from kerasclf.client.prediction import make_predictions
from kerasclf.client.tensors import read_tensor, write_strings
from kerasclf.errors import UserError

SCHEMES = ("http", "grpc")


@pytest.fixture(scope="module")
def server(published):
    model_server = ModelServer(published.parent)
    yield model_server
    model_server.close()


@pytest.fixture(params=SCHEMES)
def scheme(request):
    return request.param


@pytest.fixture
def models(server):
    """The served models; delay and overload are reset after the test."""
    server.models.requests = 0
    yield server.models
    server.models.delay, server.models.busy = 0.0, False


@pytest.fixture
def url(server, scheme, models):
    return server.url(scheme, "greetings")


def fail(error_class, url, texts=("a",), **arguments):
    """The one-line message of the error that a request must raise."""
    with client.connect(url, **arguments) as model, pytest.raises(error_class) as caught:
        model.predict(texts)
    assert type(caught.value) is error_class
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_predictions_match_keras(url, run):
    texts = [*GOLDEN_TEXTS, "guten Morgen", "half a pair \ud83d"]
    with client.connect(url) as model:
        predictions = model.predict(texts)
    classifier = KerasClassifier.load(run)
    expected = classifier.predict(texts)
    assert [entry.label for entry in predictions] == expected["predicted_label"].tolist()
    assert [entry.review for entry in predictions] == expected["review"].tolist()
    assert {entry.version for entry in predictions} == {2}
    served = [entry.probabilities for entry in predictions]
    np.testing.assert_allclose(served, classifier.predict_proba(texts), atol=1e-5)
    for entry in predictions:
        assert classifier.labels[entry.class_id] == entry.label
        assert entry.confidence == max(entry.probabilities)


@pytest.mark.parametrize(
    ("suffix", "version"),
    [("", 2), ("/versions/1", 1), ("/labels/stable", 1), ("/labels/canary", 2), ("/", 2)],
)
def test_versions_and_labels(suffix, version, scheme, server, models):
    with client.connect(server.url(scheme, "greetings", suffix)) as model:
        assert model.predict(["a"])[0].version == version


def test_classify_over_rest_and_grpc(server, models, run):
    classifier = KerasClassifier.load(run)
    texts = ["guten Morgen", "é a\0b"]
    expected = classifier.predict_proba(texts)
    rows = [{"text": text} for text in texts]
    response = urllib3.request(
        "POST",
        server.url("http", "greetings", ":classify"),
        json={"signature_name": "classify", "examples": rows},
    )
    scores = [dict(row) for row in response.json()["results"]]
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name, request.model_spec.signature_name = "greetings", "classify"
    for text in texts:
        example = request.input.example_list.examples.add()
        example.features.feature["text"].bytes_list.value.append(text.encode())
    with grpc.insecure_channel(server.hosts["grpc"]) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        rows = stub.Classify(request, timeout=120).result.classifications
    assert len(rows) == len(scores) == 2
    for row, row_scores, probabilities in zip(rows, scores, expected, strict=True):
        assert {entry.label: entry.score for entry in row.classes} == pytest.approx(row_scores)
        by_label = dict(zip(classifier.labels, probabilities, strict=True))
        assert row_scores == pytest.approx(by_label, abs=1e-5)


def test_many_texts_are_sent_in_batches(url, models):
    texts = [f"guten Morgen {i}" for i in range(10_000)]
    with client.connect(url, batch_size=1000) as model:
        assert len(model.predict(texts)) == 10_000
        assert models.requests == 10
        assert model.predict(iter(texts[:3])) == model.predict(texts[:3])


def test_no_texts_send_no_request(url, models):
    with client.connect(url) as model:
        assert model.predict([]) == []
    assert models.requests == 0


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", 7], "text 1 is 7 of type int"),
        ([None], "text 0 is None"),
        ([b"bytes"], "of type bytes"),
        ("text", "found one str"),
        (3, "found int, expected a list"),
    ],
)
def test_only_lists_of_strings_are_sent(texts, message, url, models):
    assert message in fail(client.TextError, url, texts)
    assert models.requests == 0
    assert issubclass(client.TextError, TypeError)


@pytest.mark.parametrize("suffix", ["s", "/versions/9", "/labels/none"])
def test_requests_for_unknown_models_are_not_retried(suffix, scheme, server, models):
    message = fail(client.ModelNotFoundError, server.url(scheme, "greetings", suffix))
    assert "Servable not found" in message
    assert models.requests == 1


def test_requests_to_overloaded_servers_are_not_retried(url, models):
    models.busy = True
    assert "queue is full" in fail(client.ServerError, url)
    assert models.requests == 1


def test_timeouts_are_not_retried(url, models):
    models.delay = 1.0
    assert "within 0.2 s" in fail(client.DeadlineError, url, timeout=0.2)
    time.sleep(1.0)
    assert models.requests == 1


def test_failed_connections_are_retried(scheme):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"{scheme}://127.0.0.1:{port}/v1/models/m"
    assert "is the server running" in fail(client.UnreachableError, url, retries=0)
    started = time.monotonic()
    fail(client.UnreachableError, url, retries=3)
    # Pauses of 0.1, 0.2 and 0.4 s, each multiplied by 0.5 to 1.5.
    assert time.monotonic() - started >= 0.35


def test_a_server_that_starts_late_is_reached(scheme, run, server):
    """A relay in front of the server starts listening after the first attempts have failed."""
    host, port = server.hosts[scheme].split(":")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        late = taken.getsockname()[1]
    stop = threading.Event()

    def relay():
        time.sleep(0.3)
        with socket.create_server(("127.0.0.1", late)) as listening:
            listening.settimeout(10)
            inward, _ = listening.accept()
            with inward, socket.create_connection((host, int(port))) as outward:
                back = threading.Thread(target=copy, args=(outward, inward))
                back.start()
                copy(inward, outward)
                back.join()

    def copy(source, target):
        source.settimeout(0.05)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                target.sendall(source.recv(65536))

    thread = threading.Thread(target=relay)
    thread.start()
    try:
        with client.connect(f"{scheme}://127.0.0.1:{late}/v1/models/greetings", retries=6) as model:
            assert len(model.predict(["a"])) == 1
    finally:
        stop.set()
        thread.join()


def test_other_responses_are_rejected():
    row = {"label": "a", "class_id": 0, "probabilities": [1.0], "review": False, "version": 1}
    assert make_predictions([row], 1)[0].confidence == 1.0
    for rows in ([], [3], [row | {"probabilities": None}], [{"label": "a"}]):
        with pytest.raises(client.AnswerError, match="expected"):
            make_predictions(rows, 1)


@pytest.mark.parametrize("dtype", [tf.float32, tf.int32, tf.int64, tf.bool])
@pytest.mark.parametrize("shape", [[3], [2, 3], [0], [0, 4]])
def test_tensors_are_read_like_tensorflow(dtype, shape):
    values = tf.cast(tf.reshape(tf.range(tf.reduce_prod(shape)), shape) % 2, dtype)
    # TensorFlow packs values into `tensor_content`; servers mostly fill the typed fields.
    assert read_tensor(tf.make_tensor_proto(values)) == values.numpy().tolist()


def test_strings_are_written_like_tensorflow():
    proto = tf.make_tensor_proto(1)
    proto.Clear()
    write_strings(proto, [b"a\0b", b"", "é".encode()])
    assert proto == tf.make_tensor_proto([b"a\0b", b"", "é".encode()])
    assert read_tensor(proto) == ["a\0b", "", "é"]
    repeated = tf.make_tensor_proto([1.0])
    repeated.tensor_shape.dim[0].size = 3
    assert read_tensor(repeated) == [1.0, 1.0, 1.0]
    with pytest.raises(client.AnswerError, match="DT_COMPLEX64"):
        read_tensor(tf.make_tensor_proto([1j], tf.complex64))


@pytest.mark.parametrize(
    "url",
    [
        *("", "localhost:8501", "http://localhost:8501", "http://h/v1/models/a/versions/x"),
        *("ftp://h/v1/models/a", "http://h/v1/models/a:predict", "http://h:x/v1/models/a"),
    ],
)
def test_bad_urls(url):
    with pytest.raises(UserError, match="expected http://HOST"):
        client.connect(url)


@pytest.mark.parametrize("arguments", [{"timeout": 0}, {"retries": -1}, {"batch_size": 0}])
def test_bad_arguments(arguments):
    with pytest.raises(UserError, match="expected"):
        client.connect("http://h/v1/models/a", **arguments)


LIGHT = """
import sys
from kerasclf import client, loadtest, request
client.connect(sys.argv[1])
print(sorted({"tensorflow", "keras", "numpy", "pandas"} & set(sys.modules)))
"""
LATER = """
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from kerasclf.client import rpc
outputs = rpc.predict_pb2.PredictResponse().outputs
outputs["a"].CopyFrom(tf.make_tensor_proto([1, 2]))
print(tf.make_ndarray(outputs["a"]), type(outputs["a"]) is tensor_pb2.TensorProto)
"""


@pytest.mark.parametrize(
    ("scheme", "code", "expected"),
    [("http", LIGHT, ["[]"]), ("grpc", LIGHT + LATER, ["[]", "[1 2] True"])],
)
def test_tensorflow_is_not_imported_and_can_be_later(scheme, code, expected):
    url = f"{scheme}://127.0.0.1:1/v1/models/m"
    done = subprocess.run(
        [sys.executable, "-c", code, url], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == expected, done.stderr


def test_request_from_the_shell(url, capsys):
    assert cli.main(["request", url, "guten Morgen Bonn", "thank you"]) == 0
    assert capsys.readouterr().out.startswith("de  ")
    assert cli.main(["request", url, "thank you", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["predictions"]
    assert (entry["label"], entry["version"]) == ("en", 2)
    for arguments, message in (
        ([url], "no texts given"),
        (["localhost", "a"], "expected http://HOST"),
        ([f"{url}s", "a"], "Servable not found"),
    ):
        assert cli.main(["request", *arguments]) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1


def test_loadtest_passes_and_fails(url, models, capsys):
    arguments = ["loadtest", url, "--rate=40", "--seconds=1"]
    assert cli.main([*arguments, "--p99=5s", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["requests"] == models.requests - 1
    assert report["errors"] == {}
    latency = report["latency_ms"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["max"]
    models.delay = 0.05
    assert cli.main([*arguments, "--p99=49ms"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_loadtest_counts_the_time_before_a_request_is_sent(server, models, monkeypatch):
    """With one thread and responses after 50 ms, 40 requests per second form a growing queue."""
    from kerasclf.client import load

    monkeypatch.setattr(load, "THREADS", 1)
    models.delay = 0.05
    with client.connect(server.url("http", "greetings")) as model:
        report = load.run_load(model, rate=40, seconds=1)
    assert report.latency_ms["max"] > 500
    assert report.answered_per_second < 20


def test_loadtest_fails_on_errors(url, models, capsys):
    threading.Timer(0.5, lambda: setattr(models, "busy", True)).start()
    assert cli.main(["loadtest", url, "--rate=20", "--seconds=1", "--p99=5s", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["errors"].keys() == {"ServerError"}


def test_bad_loadtests(capsys):
    url = "http://127.0.0.1:1/v1/models/m"
    for arguments, message in (
        ([url, "--p99=fast"], "expected a duration"),
        ([url, "--rate=0"], "expected a number above 0"),
        ([url, "--seconds=inf"], "expected a number above 0"),
        ([url], "is the server running"),
    ):
        assert cli.main(["loadtest", *arguments]) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1


def test_due_times_are_poisson():
    dues = draw_due_times(100, 100)
    assert dues == sorted(dues)
    assert len(dues) == pytest.approx(10_000, rel=0.03)
    gaps = np.diff(dues)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)


def test_quantiles_by_hand():
    assert summarize_latencies([float(i) for i in range(1, 101)]) == {
        "p50": 50,
        "p90": 90,
        "p95": 95,
        "p99": 99,
        "max": 100,
    }
    assert summarize_latencies([7.0])["p99"] == 7


@pytest.mark.parametrize(
    ("errors", "p99", "passed"),
    [({}, 49.9, True), ({}, 50.1, False), ({"ServerError": 1}, 49.9, False), ({}, None, False)],
)
def test_a_load_test_passes_in_time_and_without_errors(errors, p99, passed):
    report = LoadReport(10, errors, None if p99 is None else {"p99": p99}, 1.0)
    assert report.meets(50) is passed
