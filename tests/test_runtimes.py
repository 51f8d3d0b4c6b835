"""The comparison of runtimes, with those that are installed beside kerasclf."""

import json

import pytest

from benchmarks import runtimes
from benchmarks.installing import make_once, run_installer
from benchmarks.runtime_environments import RUNTIMES
from benchmarks.runtime_files import draw_texts
from export.litert.recipes import RECIPES
from kerasclf.errors import UnsupportedError
from kerasclf.run.layout import RunLayout


@pytest.mark.slow
def test_runtimes_beside_kerasclf_agree(run, tmp_path, capsys):
    arguments = [str(run), "--texts=20", f"--environments={tmp_path}/environments", "--json"]
    assert runtimes.main([*arguments, "--runtimes", "LiteRT", "onnxruntime"]) == 0
    result = json.loads(capsys.readouterr().out)
    number = result["texts"]
    assert 0 < number <= 20
    litert, onnx = result["results"]
    assert litert["same"] == dict.fromkeys(RECIPES, number)
    assert onnx["same"] == {"ONNX": number}
    for row in (litert, onnx):
        assert (row["errors"], row["not_installed"]) == ({}, None)
    assert set(result["oldest_runtime"]) == set(result["same_as_float32"]) == set(RECIPES)
    assert not (tmp_path / "environments").exists()


def test_texts_are_drawn_with_a_seed_from_the_test_rows(run):
    layout = RunLayout.open(run)
    everything = draw_texts(layout, 10_000)
    assert draw_texts(layout, 5) == draw_texts(layout, 5)
    assert set(draw_texts(layout, 5)) < set(everything)


def test_a_file_that_cannot_be_run_is_an_error_of_its_runtime(tmp_path):
    file, rows = tmp_path / "m.tflite", tmp_path / "rows.json"
    file.write_bytes(b"not a flatbuffer")
    rows.write_text("[[1, 0]]")
    runtime = RUNTIMES["LiteRT"]
    answer = runtime.prepare(runtime, tmp_path)(file, rows)
    assert list(answer) == ["error"]
    assert "flatbuffer" in answer["error"] or "model" in answer["error"].lower()


def test_an_environment_is_complete_or_absent(tmp_path):
    def fail(empty):
        (empty / "part").touch()
        run_installer(["python3", "-c", "import sys; sys.exit('E: no such package')"], empty)

    with pytest.raises(UnsupportedError, match="E: no such package"):
        make_once(tmp_path / "environment", fail)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UnsupportedError, match="needs the program no-such-program"):
        run_installer(["no-such-program"], tmp_path)
    assert make_once(tmp_path / "environment", lambda empty: None).is_dir()
    make_once(tmp_path / "environment", fail)  # It is there already.


def test_the_table_says_why_there_is_no_number(capsys):
    row = {"version": "1.0", "files": ["float32"], "same": {}, "errors": {}, "not_installed": None}
    runtimes.show(
        {
            "texts": 20,
            "files": ["float32", "ONNX"],
            "oldest_runtime": {"float32": "2.4.0"},
            "same_as_float32": {"float32": 20},
            "results": [
                {**row, "runtime": "a", "same": {"float32": 19}},
                {**row, "runtime": "b", "errors": {"float32": "unknown op"}},
                {**row, "runtime": "c", "not_installed": "needs npm"},
            ],
        }
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:6] == [
        "| a | 1.0 | 19 |  |",
        "| b | 1.0 | refused |  |",
        "| c | 1.0 | not installed |  |",
        "| oldest by its ops |  | 2.4.0 |  |",
    ]
    assert lines[-2:] == ["- b (float32): unknown op", "- c: needs npm"]


@pytest.mark.parametrize("wrong", ["--texts=0", "--runtimes=Runtime"])
def test_mistakes(wrong, run, capsys):
    assert runtimes.main([str(run), wrong]) == 2
    assert "expected" in capsys.readouterr().err
