import json
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from export import compress
from export.ladder.budget import Limit, distance, find_excesses, parse_budget
from export.ladder.report import find_front
from export.ladder.rungs import Ladder
from export.litert.recipes import RECIPES
from kerasclf.edge_runtime import EdgeClassifier
from kerasclf.encoders import ENCODERS
from kerasclf.run.layout import RunLayout


def test_budget_by_hand():
    size, p95, drop = parse_budget("size<1MB, p95 < 5ms,macro_f1_drop<1%")
    assert size == Limit("size", 1e6, "size<1MB")
    assert (p95.measure, p95.bound) == ("p95", 5.0)
    assert (drop.measure, drop.bound) == ("macro_f1_drop", 0.01)
    assert parse_budget("size<2KiB")[0].bound == 2048
    assert parse_budget("p50<300us")[0].bound == pytest.approx(0.3)


def test_excesses_and_distance_by_hand():
    limits = parse_budget("size<1MB,p95<5ms")
    assert find_excesses(limits, {"size": 999_999, "p95": 4.9}) == []
    assert find_excesses(limits, {"size": 1_500_000, "p95": 4.9}) == ["size is 1.500 MB, not <1MB"]
    assert len(find_excesses(limits, {"size": 1_000_000, "p95": 5.0})) == 2
    assert distance(limits, {"size": 1_500_000, "p95": 20.0}) == pytest.approx(3.0)
    assert distance(limits, {"size": 500_000, "p95": 2.5}) == pytest.approx(-0.5)


def test_front_by_hand():
    costs = np.array([3.0, 1.0, 2.0, 4.0, 1.0])
    scores = np.array([0.9, 0.5, 0.4, 0.9, 0.3])
    assert find_front(costs, scores).tolist() == [1, 0]


def test_ladder_prunes_only_for_a_compressed_size(run):
    names = [rung.name for rung in Ladder(RunLayout.open(run), prune=False).rungs()]
    # The run is smaller than any student.
    assert names == [
        f"as trained, {recipe}"
        for recipe in ("float32", "float16", "dynamic_int8", "full_int8", "int4_embedding")
    ]
    more = [rung.name for rung in Ladder(RunLayout.open(run), prune=True).rungs()]
    assert more[5:] == [
        f"{share} pruned, {recipe}"
        for share in ("50%", "80%")
        for recipe in ("dynamic_int8", "int4_embedding")
    ]


@pytest.mark.parametrize("compressible", [False, True])
@pytest.mark.parametrize("reads_bytes", [False, True])
def test_ladder_of_a_new_encoder_and_a_new_recipe(
    run, tmp_path, monkeypatch, reads_bytes, compressible
):
    toy = replace(ENCODERS["bytes"], reads_bytes=reads_bytes, compressible=compressible)
    monkeypatch.setitem(ENCODERS, "toy", toy)
    monkeypatch.setitem(RECIPES, "any", replace(RECIPES["float16"], name="any"))
    only_bytes = replace(RECIPES["float16"], name="only bytes", only_bytes=True)
    monkeypatch.setitem(RECIPES, "only bytes", only_bytes)
    layout = RunLayout(shutil.copytree(run, tmp_path / "toy"))
    text = layout.config.read_text()
    assert text.count("encoder: bytes") == 1
    layout.config.write_text(text.replace("encoder: bytes", "encoder: toy"))
    rungs = list(Ladder(layout, prune=True).rungs())
    recipes = [rung.recipe for rung in rungs if rung.network == "as trained"]
    assert recipes[:3] == ["float32", "float16", "dynamic_int8"]
    assert recipes[-1] == ("only bytes" if reads_bytes else "any")
    assert len(recipes) == (7 if reads_bytes else 4)
    assert len(rungs) - len(recipes) == (4 if compressible else 0)


class _Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows = []

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])

    def handle_data(self, data):
        if self.rows and data.strip():
            self.rows[-1].append(data.strip())


def test_compress_takes_the_first_file_within_the_budget(run, tmp_path, capsys):
    output = tmp_path / "small"
    budget = "size<0.05MB,macro_f1_drop<0.3,recall_drop<0.5"
    assert compress.main([str(run), f"--budget={budget}", f"--output={output}"]) == 0
    printed = capsys.readouterr().out
    assert "chosen" in printed
    result = json.loads((output / "ladder.json").read_text())
    assert [bool(entry["reasons"]) for entry in result["tried"]][-1] is False
    assert all(entry["reasons"] for entry in result["tried"][:-1])
    assert result["tried"][-1]["name"] == result["chosen"]
    file = output / "model.tflite"
    assert file.stat().st_size == result["tried"][-1]["size"] < 50_000
    assert EdgeClassifier(file).classify("selamat pagi")["label"] == "id"
    metrics = json.loads((run / "metrics.json").read_text())
    test = result["test"]
    assert test["rows"] == metrics["rows"]["test"]
    assert test["run_macro_f1"] == pytest.approx(metrics["test"]["measures"]["macro_f1"]["value"])
    page = _Cells()
    page.feed((output / "ladder.html").read_text())
    assert [row[2] for row in page.rows[1 : len(result["tried"]) + 1]] == [
        entry["recipe"] for entry in result["tried"]
    ]
    assert (output / "pareto.svg").read_text().startswith("<svg")


@pytest.fixture
def toy_recipe():
    """The only recipe; afterwards the others are there again, in their order."""
    kept = dict(RECIPES)
    RECIPES.clear()
    RECIPES["toy"] = replace(kept["float16"], name="toy")
    yield
    RECIPES.clear()
    RECIPES.update(kept)


def test_compress_tries_a_new_recipe(toy_recipe, run, tmp_path, capsys):
    output = tmp_path / "toy"
    assert compress.main([str(run), "--budget=size<1MB", f"--output={output}"]) == 0
    assert "as trained, toy: fits the budget" in capsys.readouterr().err
    assert EdgeClassifier(output / "model.tflite").metadata["recipe"] == "toy"


def test_compress_names_the_closest_files(run, tmp_path, capsys):
    output = tmp_path / "none"
    assert compress.main([str(run), "--budget=size<1KB", f"--output={output}"]) == 1
    captured = capsys.readouterr()
    assert "no file fits size<1KB; closest: as trained, int4_embedding" in captured.out
    assert not (output / "model.tflite").exists()
    result = json.loads((output / "ladder.json").read_text())
    assert result["chosen"] is None
    assert "test" not in result
    assert "No file fits the budget" in (output / "ladder.html").read_text()


@pytest.mark.slow
def test_compress_prunes_for_a_gzipped_size(run, tmp_path):
    output = tmp_path / "pruned"
    whole = tmp_path / "whole"
    assert compress.main([str(run), "--budget=size<1KB", f"--output={whole}"]) == 1
    tried = json.loads((whole / "ladder.json").read_text())["tried"]
    least = min(entry["gzip_size"] for entry in tried)
    budget = f"gzip_size<{least}B"
    assert compress.main([str(run), f"--budget={budget}", f"--output={output}"]) == 0
    assert "pruned" in json.loads((output / "ladder.json").read_text())["chosen"]


def test_bad_compressions(run, tmp_path, capsys):
    (tmp_path / "there").mkdir()
    cases = {
        "no run given": [],
        "no run ": [f"{tmp_path}/none"],
        "--budget has 'small'": [str(run), "--budget=small"],
        "--budget has 'weight'": [str(run), "--budget=weight<1MB"],
        "takes the units B, KB": [str(run), "--budget=size<5ms"],
        "is not a number": [str(run), "--budget=size<1.2.3MB"],
        "bounds size twice": [str(run), "--budget=size<1MB,size<2MB"],
        "--budget has ''": [str(run), "--budget=size<1MB,"],
        "already exists": [str(run), f"--output={tmp_path}/there"],
    }
    for message, arguments in cases.items():
        assert compress.main(arguments) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
