import gzip
import json
import subprocess
import sys

from export import benchmark
from export.litert.benchmark import LOWER_IS_BETTER, find_regressions
from export.litert.oldest_runtime import find_oldest_runtime


def test_benchmark(tiny_file, table, tmp_path, capsys):
    output, plot = tmp_path / "b.json", tmp_path / "b.svg"
    arguments = [str(tiny_file), "--threads=1,2", f"--data={table}"]
    assert benchmark.main([*arguments, f"--output={output}", f"--plot={plot}"]) == 0
    printed = capsys.readouterr().out
    assert "p95 ms" in printed
    first, second = json.loads(output.read_text())["measured"]
    assert (first["threads"], second["threads"]) == (1, 2)
    assert json.loads(output.read_text())["format"] == 1
    assert first["bytes"] == tiny_file.stat().st_size
    assert first["gzip_bytes"] == len(gzip.compress(tiny_file.read_bytes()))
    assert first["oldest_runtime"] in printed
    assert first["oldest_runtime"] == find_oldest_runtime(tiny_file.read_bytes())
    assert first["p50_ms"] <= first["p90_ms"] <= first["p95_ms"] <= first["p99_ms"]
    assert first["macro_f1"] == second["macro_f1"] > 0.8
    assert plot.read_text().startswith("<svg")


def test_benchmark_measures_without_tensorflow(tiny_file):
    code = (
        "import sys; from pathlib import Path; import export.benchmark; "
        "from export.litert.measure import measure; measure(Path(sys.argv[1]), 1, []); "
        "heavy = {'tensorflow', 'keras', 'pandas', 'sklearn', 'tyro', 'rich'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny_file)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_benchmark_is_a_gate(tiny_file, tmp_path, capsys):
    output = tmp_path / "b.json"
    assert benchmark.main([str(tiny_file), f"--output={output}"]) == 0
    former = json.loads(output.read_text())
    former["measured"][0]["bytes"] //= 2
    output.write_text(json.dumps(former))
    arguments = [str(tiny_file), f"--baseline={output}", "--max-regression=10000%"]
    assert benchmark.main(arguments) == 0
    capsys.readouterr()
    assert benchmark.main([str(tiny_file), f"--baseline={output}", "--max-regression=50%"]) == 1
    assert "REGRESSION" in capsys.readouterr().out


def test_regressions_by_hand():
    row = dict.fromkeys(LOWER_IS_BETTER, 100.0)
    row |= {"file": "f", "name": "n", "recipe": "r", "threads": 1}
    assert find_regressions([row | {"p50_ms": 110.0}], [row], 0.1 + 1e-9) == []
    lines = find_regressions([row | {"p50_ms": 111.0}], [row], 0.1)
    assert lines == ["f: p50_ms 111, was 100 (+11%)"]
    assert find_regressions([row | {"threads": 2, "p50_ms": 999.0}], [row], 0.1) == []


def test_bad_benchmarks(tiny_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    cut, half = tmp_path / "cut.tflite", tmp_path / "half.tflite"
    cut.write_bytes(tiny_file.read_bytes()[:1000])
    half.write_bytes(tiny_file.read_bytes()[: tiny_file.stat().st_size // 2])
    cases = {
        "no file": [str(tmp_path / "none.tflite")],
        "expected whole numbers": [str(tiny_file), "--threads=one"],
        "expected a share": [str(tiny_file), "--max-regression=much"],
        "cannot read": [str(tiny_file), "--baseline=/none.json"],
        "needs the program adb": [str(tiny_file), "--adb"],
        "cut.tflite: it has no metadata": [str(cut)],
        "half.tflite: it has no metadata": [
            str(tiny_file),
            str(half),
            f"--output={tmp_path}/b.json",
        ],
        "are required": [],
    }
    for message, arguments in cases.items():
        assert benchmark.main(arguments) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
    assert not (tmp_path / "b.json").exists()


def test_benchmark_refuses_unknown_labels(tiny_file, tmp_path, capsys):
    (tmp_path / "t.csv").write_text("text,label\nbonjour,fr\n")
    assert benchmark.main([str(tiny_file), f"--data={tmp_path}/t.csv"]) == 2
    assert "label 'fr'" in capsys.readouterr().err
