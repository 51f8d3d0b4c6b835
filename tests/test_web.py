import functools
import http.server
import json
import re
import shutil
import threading
import time

import numpy as np
import pytest
from chromium import TIMEOUT_S, chromium, find_chromium

from export import web
from export.device import litert_js
from export.litert.convert import append_metadata, convert
from export.litert.recipes import RECIPES
from export.program.golden import GOLDEN_TEXTS
from export.program.inputs import describe_input
from kerasclf.classifier import KerasClassifier
from kerasclf.decision.rule import Decision
from kerasclf.edge_runtime import EdgeClassifier
from kerasclf.errors import UserError
from kerasclf.explanation.words import Parts, explain


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def litert():
    try:
        return litert_js.fetch()
    except UserError as error:
        pytest.skip(f"needs LiteRT.js: {error}")


@pytest.fixture(scope="module")
def file(run, tmp_path_factory):
    """A .tflite with ordered labels that decides by costs and flags texts for review."""
    classifier = KerasClassifier.load(run)
    costs = ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 9.0, 0.0))
    # The low temperature makes some texts certain, whatever the model has learned.
    decision = Decision(0.1, (0.0, 0.0, 0.0), costs, review_below=0.7)
    decided = KerasClassifier(classifier.featurizer, classifier.core, classifier.labels, decision)
    metadata = {
        "name": "ordered greetings",
        "labels": list(decided.labels),
        "ordered": True,
        "max_bytes": decided.featurizer.max_bytes,
    }
    path = tmp_path_factory.mktemp("tflite") / "model.tflite"
    model = convert(decided, describe_input(decided), RECIPES["float32"], [])
    path.write_bytes(append_metadata(model, metadata))
    return path


@pytest.fixture(scope="module")
def served(run, file, litert, tmp_path_factory):
    """A folder with the page of a run, the page of a file and a broken page; and its URL."""
    folder = tmp_path_factory.mktemp("pages")
    assert web.main([str(run), f"--output={folder}/run"]) == 0
    assert web.main([str(file), f"--output={folder}/file"]) == 0
    shutil.copytree(folder / "file", folder / "broken")
    (folder / "broken" / "model.tflite").unlink()
    handler = functools.partial(QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    program = find_chromium()
    with chromium(program, tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(autouse=True)
def forget(request):
    """Each test starts without the requests and errors of the one before."""
    if "page" in request.fixturenames:
        page = request.getfixturevalue("page")
        page.requests.clear()
        page.errors.clear()


def type_text(page, text):
    page.evaluate("document.getElementById('text').select()")
    for character in text:
        page.call("Input.insertText", text=character)
    page.wait(f"document.getElementById('text').value === {json.dumps(text)}")


def seen(page, selector):
    script = f"Array.from(document.querySelectorAll({selector!r}), (e) => e.innerText)"
    return page.evaluate(script)


def wait_for_values(page, probabilities):
    """Waits for the expected values beside the bars, and returns the labels of the bars."""
    wanted = pytest.approx([100 * p for p in probabilities], abs=0.051)
    until = time.monotonic() + TIMEOUT_S
    while [float(value.removesuffix(" %")) for value in seen(page, ".value")] != wanted:
        assert time.monotonic() < until
        time.sleep(0.05)
    return seen(page, "#probabilities .label")


@pytest.mark.parametrize("name", ["run", "file"])
def test_page_agrees_with_python_and_requests_no_other_server(name, served, page):
    folder, address = served
    page.open(f"{address}/{name}/#self-test")
    result = json.loads(page.wait("document.getElementById('self-test').textContent"))
    classifier = EdgeClassifier(folder / name / "model.tflite")
    assert [entry["text"] for entry in result["texts"]] == list(GOLDEN_TEXTS)
    for entry in result["texts"]:
        expected = classifier.classify(entry["text"])
        assert (entry["label"], entry["review"]) == (expected["label"], expected["review"])
        expected = list(expected["probabilities"].values())
        assert entry["probabilities"] == pytest.approx(expected, abs=1e-5)
        # Clocks of browsers are coarse.
        assert entry["milliseconds"] >= 0
    assert result["passed"]
    assert page.errors == []
    assert f"{address}/{name}/litert/core/wasm/litert_wasm_internal.wasm" in page.requests
    assert {url.removeprefix(address)[: len(name) + 2] for url in page.requests} == {f"/{name}/"}


def test_self_test_fails_on_another_prediction(served, page):
    folder, address = served
    other = folder / "other"
    shutil.copytree(folder / "file", other)
    golden = json.loads((other / "golden.json").read_text())
    golden[2]["probabilities"]["de"] += 0.02
    (other / "golden.json").write_text(json.dumps(golden))
    page.open(f"{address}/other/#self-test")
    result = json.loads(page.wait("document.getElementById('self-test').textContent"))
    assert not result["passed"]
    assert [i for i, entry in enumerate(result["texts"]) if not entry["passed"]] == [2]


def test_page_classifies_what_is_typed(served, page, tmp_path):
    folder, address = served
    page.open(f"{address}/file/")
    page.wait("document.title === 'ordered greetings'")
    page.wait("document.getElementById('status').textContent.startsWith('Type')")
    assert page.evaluate("document.activeElement.id") == "text"
    classifier = EdgeClassifier(folder / "file" / "model.tflite")
    reviews = set()
    for text in ("guten Morgen Bonn", "thank you Leeds", "saya makan nasi Solo", "zz", "😡 é"):
        type_text(page, text)
        expected = classifier.classify(text)
        shown = wait_for_values(page, expected["probabilities"].values())
        # Bars stay in the order of ordered labels.
        assert shown == classifier.labels
        assert seen(page, "#label") == [expected["label"]]
        assert seen(page, ".decided .label") == [expected["label"]]
        assert seen(page, "#review:not([hidden])") == ["Needs review"] * expected["review"]
        reviews.add(expected["review"])
        assert re.fullmatch(
            r"\d+\.\d ms, median of (1 text|the last \d+ texts)", *seen(page, "#time")
        )
    assert reviews == {True, False}
    for scheme in ("light", "dark"):
        page.emulate(scheme, 360, 740)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.screenshot(tmp_path / f"{scheme}.png")
        assert (tmp_path / f"{scheme}.png").stat().st_size > 10_000
    type_text(page, "é" * 40)
    page.wait("document.getElementById('status').textContent.includes('first 48 of 80 bytes')")
    page.evaluate("document.getElementById('text').select()")
    page.call("Input.insertText", text="")
    page.wait("document.getElementById('prediction').hidden")
    assert page.errors == []


def test_unordered_labels_are_sorted_by_probability(served, page):
    folder, address = served
    page.open(f"{address}/run/")
    page.wait("document.getElementById('status').textContent.startsWith('Type')")
    text = "selamat pagi Solo"
    type_text(page, text)
    expected = EdgeClassifier(folder / "run" / "model.tflite").classify(text)["probabilities"]
    ranked = sorted(expected, key=expected.get, reverse=True)
    assert wait_for_values(page, map(expected.get, ranked)) == ranked


def test_page_explains_a_label_as_python_does(served, page, tmp_path):
    folder, address = served
    page.open(f"{address}/file/")
    page.wait("document.getElementById('status').textContent.startsWith('Type')")
    file = EdgeClassifier(folder / "file" / "model.tflite")
    text = "zzz  guten Morgen, Bonn"
    type_text(page, text)
    wait_for_values(page, file.classify(text)["probabilities"].values())
    assert page.evaluate("document.getElementById('explanation').hidden")
    page.evaluate("document.getElementById('explain').click()")
    page.wait("!document.getElementById('explanation').hidden")

    def predict(texts):
        probabilities = file.predict_proba(texts).astype(float)
        return [file.labels.index(file.classify(text)["label"])], None, probabilities

    parts = Parts(network=lambda texts: np.log(file.predict_proba(texts)))
    (expected,) = explain(predict, parts, file.labels, [text])
    assert "".join(seen(page, "#words span")) == text
    titles = page.evaluate("[...document.querySelectorAll('#words span')].map((e) => e.title)")
    found = [float(title) for title in titles]
    assert found == pytest.approx([word.contribution for word in expected.words], abs=0.006)
    assert seen(page, ".for, .against") != []
    assert expected.label in seen(page, "#legend")[0]
    page.emulate("dark", 360, 740)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.screenshot(tmp_path / "explained.png")
    type_text(page, "thank you")
    page.wait("document.getElementById('explanation').hidden")
    assert page.errors == []


def test_page_says_what_is_wrong(served, page):
    folder, address = served
    page.open(f"{address}/broken/")
    line = page.wait("document.querySelector('.error')?.textContent")
    assert line == "The classifier failed: model.tflite: HTTP status 404"
    page.open((folder / "file" / "index.html").as_uri())
    assert "python3 -m http.server" in page.wait("document.querySelector('.error')?.textContent")


def test_folder(served):
    folder, _ = served
    files = {str(path.relative_to(folder / "file")) for path in (folder / "file").rglob("*.*")}
    assert {"index.html", "README.md", "model.tflite", "metadata.json", "golden.json"} <= files
    assert {f"litert/{name}" for name in litert_js.FILES} <= files
    assert "Apache License" in (folder / "file" / "litert" / "LICENSE").read_text()
    versions = [json.loads(path.read_text())["version"] for path in folder.rglob("package.json")]
    assert set(versions) == {"2.5.3"}
    # No page, script or style of ours has the URL of another server.
    for path in (folder / "file").glob("*.*s*"):
        if path.suffix in {".html", ".css", ".js"}:
            urls = set(re.findall(r"https?://[^ .`\"]+", path.read_text()))
            assert urls <= {"http://localhost:8000"}


def test_colours_can_be_read(served):
    folder, _ = served
    style = (folder / "file" / "style.css").read_text()
    light = dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6})", style.split("@media")[0]))
    dark = dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6})", style.split("@media")[1]))
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        for text, ground in (
            ("text", "ground"),
            ("text", "surface"),
            ("quiet", "ground"),
            ("error", "ground"),
            ("accent", "ground"),
            ("warning", "warning-ground"),
        ):
            assert contrast(colours[text], colours[ground]) >= 4.5
        for part, ground in (("accent", "ground"), ("line", "surface"), ("bar", "track")):
            assert contrast(colours[part], colours[ground]) >= 3


def contrast(*colours):
    """Contrast ratio of WCAG 2."""

    def luminance(colour):
        shares = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return sum(w * s for w, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted(map(luminance, colours))
    return (high + 0.05) / (low + 0.05)


def fails(arguments, capsys):
    """The one line of a command that exits with 2."""
    assert web.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    return captured.err


@pytest.fixture
def cold_cache(tmp_path, monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


@pytest.mark.usefixtures("cold_cache")
def test_no_npm(file, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "the program npm" in fails([str(file), f"--output={tmp_path}/page"], capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("cold_cache")
def test_npm_without_network(file, tmp_path, capsys, monkeypatch):
    if shutil.which("npm") is None:
        pytest.skip("needs the program npm")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    line = fails([str(file), f"--output={tmp_path}/page"], capsys)
    assert "npm could not download LiteRT.js: code ECONNREFUSED" in line
    assert list(tmp_path.rglob("*litertjs*")) == []
    assert not (tmp_path / "page").exists()


def test_cache_needs_no_npm(file, litert, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert web.main([str(file), f"--output={tmp_path}/page"]) == 0


def test_bad_pages(file, run, litert, tmp_path, capsys):
    existing = tmp_path / "existing"
    existing.mkdir()
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(file.read_bytes()[:5000])
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(append_metadata(b"not a flatbuffer" * 10, {"labels": [], "max_bytes": 1}))
    before = set(tmp_path.iterdir())
    page = f"--output={tmp_path}/page"
    cases = {
        "already exists": [str(file), f"--output={existing}"],
        "give a .tflite or a run": [str(file)],
        "has no metadata.json": [str(cut), page],
        "is not a .tflite of kerasclf": [str(broken), page],
        "no run": [str(tmp_path / "none"), page],
        "is not a folder": [str(file), f"--output={cut}/page"],
    }
    for message, arguments in cases.items():
        assert message in fails(arguments, capsys)
    assert set(tmp_path.iterdir()) == before
