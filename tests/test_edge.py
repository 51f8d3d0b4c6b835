import json
import subprocess
import sys
import venv

import pytest

from export import edge
from export.litert.convert import append_metadata
from kerasclf.edge_runtime import read_metadata


def test_edge_folder(tiny_file, tmp_path, capsys):
    folder = tmp_path / "edge"
    assert edge.main([str(tiny_file), f"--output={folder}"]) == 0
    names = {path.name for path in folder.iterdir()}
    assert names == {"model.tflite", "classify.py", "requirements.txt", "golden.json", "README.md"}
    done = subprocess.run(
        [sys.executable, folder / "classify.py", "--self-test"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "self-test passed\n"
    golden = json.loads((folder / "golden.json").read_text())
    golden[2]["label"] = "en" if golden[2]["label"] != "en" else "de"
    (folder / "golden.json").write_text(json.dumps(golden))
    done = subprocess.run(
        [sys.executable, folder / "classify.py", "--self-test"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    capsys.readouterr()
    assert edge.main([str(tiny_file), f"--output={folder}"]) == 2
    assert "already exists" in capsys.readouterr().err


@pytest.mark.slow
def test_edge_folder_needs_only_its_requirements(tiny_file, tmp_path):
    folder = tmp_path / "edge"
    assert edge.main([str(tiny_file), f"--output={folder}"]) == 0
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    requirements = folder / "requirements.txt"
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
    done = subprocess.run(
        [python, folder / "classify.py", "--self-test"], capture_output=True, text=True, check=False
    )
    assert done.stdout == "self-test passed\n", done.stderr
    printed = subprocess.run(
        [python, folder / "classify.py", "guten Morgen"], capture_output=True, text=True, check=True
    ).stdout
    assert printed.startswith("de  ")
    assert subprocess.run(
        [python, "-c", "import tensorflow"], capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize("damage", ["truncated", "no model", "no file"])
def test_edge_refuses_damaged_files(damage, tiny_file, tmp_path, capsys):
    path = tmp_path / "damaged.tflite"
    content = tiny_file.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "no model":
        path.write_bytes(append_metadata(b"not a flatbuffer" * 10, read_metadata(content)))
    before = set(tmp_path.iterdir())
    assert edge.main([str(path), f"--output={tmp_path}/edge"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert set(tmp_path.iterdir()) == before
