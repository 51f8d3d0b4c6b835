"""`kerasclf verify`: files of a run that are not as they were written."""

import json
import shutil

import pytest
from conftest import KEPT

from kerasclf import cli
from kerasclf.run.layout import RunLayout


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run, tmp_path / "greetings" / "1")


def verify(copy, capsys):
    capsys.readouterr()
    code = cli.main(["verify", str(copy.parent), "--json"])
    return code, json.loads(capsys.readouterr().out)["changes"]


def test_a_run_is_as_it_was_written(copy, capsys):
    assert verify(copy, capsys) == (0, {})
    (copy / "notes.txt").write_text("of the user")
    assert verify(copy, capsys) == (0, {})
    assert cli.main(["verify", str(copy)]) == 0
    assert "files, all as they were written" in capsys.readouterr().out


def test_what_commands_write_later_is_recorded(copy, capsys):
    KEPT[0](RunLayout.open(copy))
    (copy / "report.html").unlink()
    assert cli.main(["report", str(copy)]) == 0
    assert verify(copy, capsys) == (0, {})
    (copy / "model.tflite").write_bytes(b"")
    assert verify(copy, capsys) == (1, {"model.tflite": "changed"})


def test_damage_is_named(copy, capsys):
    content = bytearray((copy / "model.keras").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "model.keras").write_bytes(content)
    (copy / "split.parquet").unlink()
    changes = {"model.keras": "changed", "split.parquet": "missing"}
    assert verify(copy, capsys) == (1, changes)
    assert cli.main(["verify", str(copy)]) == 1
    assert "2 not as they were written" in capsys.readouterr().out


def test_runs_without_a_manifest(copy, capsys):
    (copy / "manifest.json").write_text('{"format": 1}')
    assert cli.main(["verify", str(copy)]) == 2
    assert "has no 'sha256'" in capsys.readouterr().err
    (copy / "manifest.json").unlink()
    assert cli.main(["verify", str(copy)]) == 2
    assert "an earlier version wrote it" in capsys.readouterr().err
