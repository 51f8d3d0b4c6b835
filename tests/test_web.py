import functools
import http.server
import json
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from chromium import chromium

from export import litert_js, web
from export.golden import GOLDEN_TEXTS
from export.runtime import EdgeClassifier
from export.tflite import main as tflite

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def file(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("tflite") / "model.tflite"
    assert tflite([str(run), f"--output={path}", "--recipe=float32"]) == 0
    return path


@pytest.fixture(scope="module")
def folder(file, tmp_path_factory):
    if shutil.which("npm") is None:
        pytest.skip("needs npm, which fetches LiteRT.js once")
    output = tmp_path_factory.mktemp("web") / "page"
    assert web.main([str(file), f"--output={output}"]) == 0
    return output


@pytest.fixture(scope="module")
def address(folder):
    """The folder on a server of this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(tmp_path):
    if PROGRAM is None:
        pytest.skip("needs the browser chromium")
    with chromium(PROGRAM, tmp_path / "profile") as tab:
        yield tab


@pytest.fixture
def pictures(tmp_path):
    """Where screenshots are kept: KERASCLF_SCREENSHOTS, or pytest's own folder."""
    folder = Path(os.environ.get("KERASCLF_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_page_equals_python_on_golden_texts(page, address, file):
    page.open(f"{address}#self-test")
    outcome = json.loads(page.wait("document.getElementById('self-test').textContent"))
    assert outcome["passed"]
    classifier = EdgeClassifier(file)
    assert [entry["text"] for entry in outcome["texts"]] == list(GOLDEN_TEXTS)
    for entry in outcome["texts"]:
        expected = classifier.classify(entry["text"])
        assert entry["label"] == expected["label"]
        assert entry["review"] == expected["review"]
        np.testing.assert_allclose(
            entry["probabilities"], list(expected["probabilities"].values()), atol=1e-5
        )
    assert page.errors == []
    assert all(request.startswith(address) for request in page.requests)


def test_page_classifies_what_is_typed(page, address, file, pictures):
    page.look("light", 1000, 800)
    page.open(address)
    page.wait("document.getElementById('status').textContent.startsWith('Type')")
    # The box has the focus: one can type at once.
    page.call("Input.insertText", text="selamat pagi")
    label = "document.getElementById('label').textContent"
    assert page.wait(label) == EdgeClassifier(file).classify("selamat pagi")["label"]
    page.wait("document.getElementById('time').textContent.includes(' ms')")
    page.screenshot(pictures / "light.png")
    # As a model's own strings reach the page, markup in a text must stay text.
    page.call("Input.insertText", text=" <b>malam</b>" + "x" * 300)
    assert "Only the first 48 of" in page.wait(
        "(s => s.startsWith('Only') && s)(document.getElementById('status').textContent)"
    )
    page.look("dark", 360, 640)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.screenshot(pictures / "dark-phone.png")
    assert width <= 360
    assert (pictures / "light.png").read_bytes() != (pictures / "dark-phone.png").read_bytes()
    assert page.errors == []


def test_page_says_why_it_cannot_load(page, folder):
    page.open((folder / "index.html").as_uri())
    status = "document.getElementById('status')"
    page.wait(f"{status}.className === 'error'")
    assert "python3 -m http.server" in page.evaluate(f"{status}.textContent")


def test_folder_works_offline_and_names_its_parts(folder):
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {f"litert/{name}" for name in (*litert_js.FILES, "LICENSE")} <= names
    assert {"index.html", "model.tflite", "metadata.json", "golden.json", "README.md"} <= names
    for name in ("index.html", "style.css", "page.js", "classifier.js", "self-test.js"):
        text = (folder / name).read_text()
        assert "https://" not in text
        assert "http://" not in text.replace("http://localhost:8000", "")


def test_bad_pages(file, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "there").mkdir()
    before = set(tmp_path.iterdir())
    cases = {
        "by the program npm": [str(file), f"--output={tmp_path}/page"],
        "is there already": [str(file), f"--output={tmp_path}/there"],
        "give a .tflite or a run": [f"--output={tmp_path}/page"],
    }
    for message, arguments in cases.items():
        assert web.main(arguments) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
    assert set(tmp_path.iterdir()) == before


def test_damaged_file_leaves_no_page(file, folder, tmp_path, capsys):
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(file.read_bytes()[:2000])
    assert web.main([str(cut), f"--output={tmp_path}/page"]) == 2
    captured = capsys.readouterr()
    assert "is not a .tflite of kerasclf" in captured.err
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [cut]
