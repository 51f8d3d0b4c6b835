import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL

from kerasclf import cli
from kerasclf.files import load_record
from kerasclf.statistics.bootstrap import compare, measure, measure_once
from kerasclf.statistics.comparison import bootstrap_p_value, compare_pairs, holm
from kerasclf.train import main as train


def test_holm_by_hand():
    # Sorted: .01 * 4, .02 * 3, .03 * 2, .5 * 1; the third may not be below the second.
    assert holm([0.02, 0.5, 0.01, 0.03]) == pytest.approx([0.06, 0.5, 0.04, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.04]) == [0.04]


def test_holm_is_between_uncorrected_and_bonferroni():
    p = np.random.default_rng(0).random(20)
    found = np.array(holm(p.tolist()))
    assert (found >= p).all()
    assert (found <= np.minimum(20 * p, 1) + 1e-12).all()
    assert (np.diff(found[np.argsort(p)]) >= 0).all()


def test_p_value_by_hand():
    # One of nine resamples is on the other side: 2 * (1 + 1) / (9 + 1).
    assert bootstrap_p_value(np.array([1.0] * 8 + [-1.0])) == pytest.approx(0.4)
    assert bootstrap_p_value(np.zeros(9)) == 1.0


@pytest.fixture(scope="module")
def sample():
    random = np.random.default_rng(0)
    class_ids = random.choice(3, 400, p=[0.6, 0.3, 0.1])
    hit = {"good": 0.9, "fair": 0.7, "same": 0.7}
    random = {run: np.random.default_rng(7 if run == "good" else 5) for run in hit}
    return class_ids, {
        run: np.where(random[run].random(400) < share, class_ids, random[run].integers(0, 3, 400))
        for run, share in hit.items()
    }


def test_pairs(sample):
    found = compare_pairs(*sample, 3, seed=0)
    assert list(found) == ["macro_f1", "accuracy"]
    for pairs in found.values():
        by_pair = {(pair["first"], pair["second"]): pair for pair in pairs}
        assert list(by_pair) == [("good", "fair"), ("good", "same"), ("fair", "same")]
        assert by_pair["good", "fair"]["verdict"] == "better"
        equal = by_pair["fair", "same"]
        assert (equal["difference"], equal["p"], equal["verdict"]) == (0, 1, "undecided")
        # Three pairs: the smallest p-value three times.
        assert by_pair["good", "fair"]["p_holm"] == pytest.approx(3 * 2 / 10_001)
    class_ids, predicted = sample
    accuracy = {run: (ids == class_ids).mean() for run, ids in predicted.items()}
    difference = found["accuracy"][0]["difference"]
    assert difference == pytest.approx(accuracy["good"] - accuracy["fair"])


def test_pairs_turn_round_with_their_order(sample):
    class_ids, predicted = sample
    pair = {run: predicted[run] for run in ("fair", "good")}
    forth = compare_pairs(class_ids, pair, 3, 0)["macro_f1"][0]
    back = compare_pairs(class_ids, dict(reversed(pair.items())), 3, 0)["macro_f1"][0]
    assert (forth["verdict"], back["verdict"]) == ("worse", "better")
    assert forth["difference"] == -back["difference"]
    assert forth["low"] == pytest.approx(-back["high"])
    # The report's comparison with its baseline says the same, of fewer resamples.
    single = compare(class_ids, predicted["fair"], predicted["good"], 3, 0)
    assert single["difference"] == pytest.approx(forth["difference"])
    assert single["low"] == pytest.approx(forth["low"], abs=0.02)


def test_metrics_once_are_those_with_intervals(sample):
    class_ids, predicted = sample
    logs = np.log(np.random.default_rng(1).dirichlet(np.ones(3), 400))
    with_intervals = measure(class_ids, predicted["good"], logs, True, 0)
    expected = {name: entry["value"] for name, entry in with_intervals.items()}
    assert measure_once(class_ids, predicted["good"], logs, True) == expected


@pytest.fixture(scope="module")
def weak(run, table, tmp_path_factory):
    """A run of one epoch on the split of the other."""
    output = tmp_path_factory.mktemp("weak")
    options = [f"--split={run}", f"--output={output}", "--name=weak", "--epochs=1"]
    assert train([f"--data={table}", *options, *SMALL]) == 0
    return output / "weak" / "1"


def test_compare(run, weak, tmp_path, capsys):
    capsys.readouterr()
    output = tmp_path / "pages"
    arguments = ["compare", str(weak), str(run), f"--output={output}", "--target", "accuracy>=0.7"]
    assert cli.main([*arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert load_record(output / "compare.json") == result
    assert [entry["run"] for entry in result["runs"]] == ["greetings/1", "weak/1"]
    assert result["best"]["run"] == "greetings/1"
    assert result["best"]["test_targets_met"] == 1
    for entry, folder in zip(result["runs"], (run, weak), strict=True):
        metrics = json.loads((folder / "metrics.json").read_text())
        assert entry["measures"] == metrics["test"]["measures"]
        assert entry["validation"].items() >= metrics["validation"].items()
        assert entry["cost"]["size_bytes"] > (folder / "model.keras").stat().st_size
        assert entry["cost"]["train_seconds"] == metrics["seconds"]["train"]
    values = [entry["measures"]["macro_f1"]["value"] for entry in result["runs"]]
    assert result["differences"]["macro_f1"][0]["difference"] == pytest.approx(
        values[0] - values[1]
    )
    page = (output / "compare.html").read_text()
    assert "Best under the targets: greetings/1" in page
    assert "<script" not in page
    assert 'src="' not in page
    assert cli.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "best under the targets: greetings/1" in printed
    assert "p corrected by Holm" in printed


def test_a_better_run_is_not_picked_by_its_test_rows(run, weak, tmp_path, capsys):
    """On validation rows the weak run is made to be right, on test rows it stays weak."""
    lucky = shutil.copytree(weak, tmp_path / "lucky")
    frame = pd.read_parquet(lucky / "predictions.parquet")
    validation = frame["split"] == "validation"
    frame.loc[validation, "predicted_label"] = frame.loc[validation, "label"]
    frame.to_parquet(lucky / "predictions.parquet", index=False)
    other = shutil.copytree(run, tmp_path / "other")
    frame = pd.read_parquet(other / "predictions.parquet")
    validation = np.flatnonzero(frame["split"] == "validation")
    frame.loc[validation[0], "predicted_label"] = "de"
    frame.loc[validation[1], "predicted_label"] = "de"
    frame.to_parquet(other / "predictions.parquet", index=False)
    capsys.readouterr()
    assert cli.main(["compare", str(other), str(lucky), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [entry["run"] for entry in result["runs"]] == ["greetings/1", "weak/1"]
    assert result["best"]["run"] == "weak/1"


BAD = {
    "no runs": ([], "found 0 run"),
    "one run": (["{run}"], "found 1 run"),
    "twice": (["{run}", "{parent}"], "is given 2 times"),
    "no such run": (["{run}", "{dir}/none"], "no run"),
    "other rows": (["{run}", "{other}"], "20 test rows and .* 20, of which .* --split"),
    "other labels": (["{run}", "{renamed}"], "have different labels"),
    "bad target": (["{run}", "{weak}", "--target", "f1>1"], "expected a metric"),
    "a file": (["{run}", "{weak}", "--output={table}"], "is a file; expected a folder"),
}


@pytest.fixture(scope="module")
def places(run, weak, table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    other = shutil.copytree(run, folder / "other")
    frame = pd.read_parquet(other / "predictions.parquet")
    frame["text"] = frame["text"].where(frame.index % 2 == 0, frame["text"] + "!")
    frame.to_parquet(other / "predictions.parquet", index=False)
    renamed = shutil.copytree(run, folder / "renamed")
    metrics = json.loads((renamed / "metrics.json").read_text())
    (renamed / "metrics.json").write_text(json.dumps(metrics | {"labels": ["a", "b", "c"]}))
    named = {"other": other, "renamed": renamed, "weak": weak, "table": table}
    return {"run": run, "parent": run.parent, **named}


@pytest.mark.parametrize("case", BAD)
def test_bad_comparisons(case, places, tmp_path, capsys):
    arguments, message = BAD[case]
    capsys.readouterr()
    code = cli.main(["compare", *(a.format(**places, dir=tmp_path) for a in arguments)])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err), captured.err
    assert list(tmp_path.iterdir()) == []
