import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from kerasclf import cli
from kerasclf.config import TrainConfig
from kerasclf.evaluation.advice import Facts, advise
from kerasclf.files import read_json
from kerasclf.run.hold import hold, is_held
from kerasclf.run.layout import RunLayout


@pytest.fixture
def runs(run, tmp_path):
    """Two finished runs of one name, one that is cut off, and an older one of another name."""
    folder = tmp_path / "runs"
    shutil.copytree(run, folder / "greetings" / "1")
    shutil.copytree(run, folder / "greetings" / "2")
    cut = shutil.copytree(run, folder / "greetings" / "10.partial")
    for name in ("metrics.json", "predictions.parquet"):
        (cut / name).unlink()
    history = pd.read_csv(cut / "history.csv")
    history[:3].to_csv(cut / "history.csv", index=False)
    return folder


def call(arguments, capsys):
    capsys.readouterr()
    assert cli.main(["progress", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_progress(runs, capsys):
    result = call(["greetings", f"--runs={runs}"], capsys)
    metrics = read_json(runs / "greetings" / "1" / "metrics.json")
    assert [(run["number"], run["state"]) for run in result["runs"]] == [
        *((1, "done"), (2, "done"), (10, "failed")),
    ]
    assert result["runs"][2]["epochs"] == 3
    assert result["runs"][2]["of"] == 12
    used = 2 * sum(metrics["seconds"].values()) + result["runs"][2]["seconds"]
    assert result["seconds"] == pytest.approx(used)
    assert result["peak_memory_bytes"] == metrics["peak_memory_bytes"]
    now = result["now"]
    value = metrics["test"]["measures"]["macro_f1"]["value"]
    baseline = metrics["baseline"]["measures"]["macro_f1"]
    assert now["gains"]["macro_f1"] == {
        "baseline": baseline,
        "now": value,
        "gain": pytest.approx(value - baseline),
    }
    accuracy, macro_f1, latency = now["targets"]
    assert accuracy["unit"] == macro_f1["unit"] == "points"
    assert macro_f1["distance"] == pytest.approx(100 * (value - 0.80))
    assert macro_f1["percent"] == pytest.approx(100 * (value - 0.80) / 0.80)
    p99 = metrics["latency"]["p99_ms"]
    assert (latency["unit"], latency["distance"]) == ("ms", pytest.approx(100 - p99))
    assert (
        "run 10 was interrupted after 3 epochs: resume it with kerasclf train" in result["next"][0]
    )
    for page in result["pages"]:
        with open(page) as file:
            text = file.read()
        assert "run 10 was interrupted after 3 epochs" in text
        assert f"{value:.4f}" in text
    assert cli.main(["progress", f"--runs={runs}"]) == 0
    assert "# greetings: 3 runs" in capsys.readouterr().out


def test_a_held_run_is_running_and_looking_does_not_hold_it(runs, capsys):
    layout = RunLayout(runs / "greetings" / "10.partial")
    assert not is_held(layout)
    with hold(layout):
        assert is_held(layout)
        result = call([f"--runs={runs}"], capsys)
    assert result["runs"][2]["state"] == "running"
    assert not any("interrupted" in line for line in result["next"])
    assert not is_held(layout)
    with hold(layout):
        pass


def test_without_a_name_it_is_that_of_the_newest_run(runs, capsys):
    RunLayout.create(runs, "empty")
    result = call([f"--runs={runs}", f"--output={runs.parent}/pages"], capsys)
    assert result["name"] == "empty"
    assert result["now"] is None
    assert (runs.parent / "pages" / "progress.html").is_file()
    # The pages lie where they were asked for, and pages beside runs are no runs.
    assert not (runs / "empty" / "progress.html").exists()
    assert call(["greetings", f"--runs={runs}"], capsys)["name"] == "greetings"


def test_it_starts_without_tensorflow(runs):
    code = (
        "import sys; from kerasclf.progress import main; main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "greetings", f"--runs={runs}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def facts():
    """Figures of a run that nothing is wrong with."""
    return Facts(
        metrics={
            "encoder": "bytes",
            "baseline": {
                "macro_f1_difference": {
                    **{"difference": 0.05, "low": 0.01, "high": 0.09},
                    "verdict": "better",
                }
            },
            "training": {"best_epoch": 3},
            "test": {
                "rows": 500,
                "measures": {"macro_f1": {"value": 0.85, "low": 0.82, "high": 0.88}},
            },
        },
        config=TrainConfig(max_bytes=256).resolved(),
        findings={
            "class_counts": {"a": 900, "b": 100},
            "truncated_texts": 0,
            "rows_kept": 1000,
            "conflicting_texts": 0,
        },
        history=[
            {"epoch": i, "loss": 1 / i, "val_loss": 0.5, "val_macro_f1": 0.8} for i in (1, 2, 3, 4)
        ],
        recall={"a": 0.9, "b": 0.85},
        targets=[{"target": "macro_f1>=0.80", "value": 0.85, "met": True, "margin": 0.05}],
        is_student=False,
    )


def test_nothing_is_advised_where_nothing_is_wrong(facts):
    assert advise(facts) == []


def test_a_rare_class_that_is_missed_calls_for_balance(facts):
    behind = replace(facts, recall={"a": 0.9, "b": 0.3})
    (line,) = advise(behind)
    assert "validation recall of b is 0.30, the mean of the classes 0.60" in line
    assert "10.0% of the rows" in line
    assert "sampler is natural" in line
    assert "--sampler sqrt" in line
    (line,) = advise(replace(behind, config=replace(facts.config, sampler="sqrt")))
    assert "label more rows of it" in line
    # A frequent class that is missed is no matter of imbalance.
    assert advise(replace(facts, recall={"a": 0.3, "b": 0.9})) == []


def test_each_rule_speaks_of_its_own_figures(facts):
    worse = {"difference": -0.02, "low": -0.05, "high": 0.01, "verdict": "undecided"}
    behind = facts.metrics | {"baseline": {"macro_f1_difference": worse}}
    cases = {
        "-0.0200 macro-F1 from TF-IDF.*distill.*--mixtures 100000, or an --encoder": {
            "metrics": behind
        },
        "TF-IDF.*distill RUN --baseline --out-of-fold 3 --mixtures 100000$": {
            "metrics": behind,
            "config": replace(facts.config, encoder="/models/e5"),
        },
        "TF-IDF.*other teachers": {"metrics": behind, "is_student": True},
        "best epoch was the last, 3: try --epochs 6": {"config": replace(facts.config, epochs=3)},
        "rose from 0.500 to 0.900.*--dropout": {
            "history": [*facts.history[:3], {**facts.history[3], "val_loss": 0.9}]
        },
        "latency_p99_ms<5 is missed with 7.0 ms": {
            "targets": [{"target": "latency_p99_ms<5", "value": 7.0, "met": False, "margin": -2.0}]
        },
        "10% of the texts are cut at 256 bytes: try --max-bytes 512": {
            "findings": facts.findings | {"truncated_texts": 100}
        },
        "20 texts have several labels": {"findings": facts.findings | {"conflicting_texts": 20}},
        "within the 95 % interval .0.8200 to 0.8800. of 500 test rows": {
            "targets": [{"target": "macro_f1>=0.86", "value": 0.85, "met": False, "margin": -0.01}]
        },
    }
    for message, changes in cases.items():
        (line,) = advise(replace(facts, **changes))
        assert re.search(message, line), line


def test_bad_requests(runs, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    cases = {
        "no folder": [f"--runs={tmp_path}/none"],
        "has no runs": [f"--runs={tmp_path}/empty"],
        "no runs named 'greeting' in .*; expected one of greetings": ["greeting", f"--runs={runs}"],
        "is a file; expected a folder": [f"--runs={runs}", f"--output={tmp_path}/file"],
    }
    for message, arguments in cases.items():
        assert cli.main(["progress", *arguments]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert re.search(message, captured.err), captured.err
    assert not list(runs.rglob("progress.*"))


def test_a_finished_ensemble_has_its_place(runs, capsys):
    members = [str(runs / "greetings" / number) for number in ("1", "2")]
    options = ["--name=greetings", f"--output={runs}"]
    assert cli.main(["ensemble", *members, *options]) == 0
    result = call(["greetings", f"--runs={runs}"], capsys)
    assert [run["encoder"] for run in result["runs"]] == [*["bytes"] * 3, "ensemble"]
    assert result["runs"][3]["number"] == 11
