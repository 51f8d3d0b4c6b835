"""What docs and notebooks tell a user to run, run as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from conftest import GREETINGS, PLACES

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Jupyter's client
def test_quickstart_notebook(tmp_path):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(ROOT / "examples" / "quickstart.ipynb", as_version=4)
    kernel = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=1200, resources=kernel).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    # The progress of the training is one line, which is updated.
    texts = [o for o in cells[0].outputs if "text/plain" in o.get("data", {})]
    progress = [o for o in texts if "text/html" not in o["data"]]
    assert len(progress) == 1, progress
    assert "95 % interval" in cells[1].outputs[0]["text"]
    assert "'indonesian'" in cells[-1].outputs[-1]["data"]["text/plain"]
    assert (tmp_path / "model.tflite").is_file()


@pytest.mark.slow
def test_script_of_the_docs(tmp_path):
    texts = [(text, label) for label, texts in GREETINGS.items() for text in texts]
    rows = [(f"{text} {place}", label) for text, label in texts for place in PLACES]
    pd.DataFrame(rows, columns=["tweet", "level"]).to_csv(tmp_path / "posts.csv", index=False)
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    script = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    checks = """
assert (classifier.run / "report.html").is_file()
assert len(frame) == 2
assert again.predict(["selamat pagi"])["predicted_label"][0] == "id"
"""
    program = (sys.executable, "-c", script + checks)
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model.tflite").is_file()
    assert (tmp_path / "model.onnx").is_file()
