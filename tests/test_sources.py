"""Where rows come from: sources that are measured, weighed, told apart and valued."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL
from planted import make_table

from kerasclf import cli
from kerasclf.config import TrainConfig
from kerasclf.evaluation.provenance import advise_source, examine_sources
from kerasclf.files import load_record, load_table
from kerasclf.job.examination import examine_table
from kerasclf.job.prepare import prepare_job
from kerasclf.run.layout import RunLayout


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A table of trusted, easy, useless and harmful rows, with two more columns."""
    path = tmp_path_factory.mktemp("planted") / "posts.csv"
    table = make_table(0, "easy", "useless", "harmful")
    table["platform"] = np.where(np.arange(len(table)) % 3, "forum", "chat")
    table.to_csv(path, index=False)
    return path


OPTIONS = [
    "--target",
    "accuracy>=0.85",
    "macro_f1>=0.80",
    "--source-column=source",
    "--encoder=linear",
    "--max-bytes=128",
]


@pytest.fixture(scope="module")
def finished(planted, tmp_path_factory):
    """A run of all sources, with a slice column."""
    output = tmp_path_factory.mktemp("runs")
    options = [f"--data={planted}", *OPTIONS, "--slice-column=platform", f"--output={output}"]
    assert cli.main(["train", *options]) == 0
    return RunLayout.open(output / "posts")


def config(path, **values):
    return TrainConfig(data=path, source_column="source", encoder="linear", **values).resolved()


def test_each_source_is_measured(finished):
    metrics = load_record(finished.metrics)
    by_source = metrics["test"]["by_source"]
    test = load_table(finished.predictions, filters=[("split", "==", "test")])
    assert set(by_source) == {"manual", "easy", "useless", "harmful"}
    for name, entry in by_source.items():
        rows = test[test["source"] == name]
        hits = (rows["label"] == rows["predicted_label"]).mean()
        assert entry["rows"] == len(rows)
        assert entry["measures"]["accuracy"]["value"] == pytest.approx(hits)
        of_baseline = (rows["label"] == rows["baseline_label"]).mean()
        assert entry["baseline"]["accuracy"] == pytest.approx(of_baseline)
        assert [target["target"] for target in entry["targets"]] == [
            "accuracy>=0.85",
            "macro_f1>=0.80",
        ]
    assert by_source["easy"]["measures"]["macro_f1"]["low"] > 0.95
    assert by_source["harmful"]["measures"]["macro_f1"]["high"] < 0.7
    assert set(metrics["validation_by_source"]) == set(by_source)
    platforms = metrics["test"]["by_slice"]["platform"]
    assert list(platforms) == ["chat", "forum"]
    assert sum(entry["rows"] for entry in platforms.values()) == len(test)
    trained = load_table(finished.split)["split"].eq("train").sum()
    assert sum(metrics["train_by_source"].values()) == trained


def test_a_source_that_is_easier_is_named(finished, capsys):
    page = finished.report.read_text()
    by_source = load_record(finished.metrics)["test"]["by_source"]
    hardest = min(by_source, key=lambda name: by_source[name]["measures"]["macro_f1"]["value"])
    line = f"the figure over all rows is not what you will see on {hardest} rows"
    assert line in page
    assert line in finished.model_card.read_text()
    assert cli.main(["evaluate", str(finished.root)]) == 0
    assert line in capsys.readouterr().out


def test_new_data_is_measured_by_source(finished, planted, capsys):
    arguments = ["evaluate", str(finished.root), f"--data={planted}", "--json"]
    assert cli.main([*arguments, "--source-column=source", "--slice-column=platform"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {entry["rows"] for entry in found["by_source"].values()} == {500}
    assert list(found["by_slice"]) == ["platform"]
    assert cli.main(arguments) == 0
    assert "by_source" not in json.loads(capsys.readouterr().out)


def test_crossval_and_compare_show_sources(finished, planted, tmp_path, capsys):
    options = [f"--data={planted}", *OPTIONS, f"--output={tmp_path}"]
    assert cli.main(["crossval", *options, "--folds=2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(entry["rows"] for entry in found["by_source"].values()) == found["rows"]
    split = [f"--split={finished.root}", "--linear-c=0.1", "--name=other"]
    assert cli.main(["train", *options, *split]) == 0
    capsys.readouterr()
    assert (
        cli.main(["compare", str(finished.root), f"{tmp_path}/other", f"--output={tmp_path}"]) == 0
    )
    assert "macro-F1 by source" in capsys.readouterr().out
    assert ">Sources</h2>" in (tmp_path / "compare.html").read_text()


def test_only_measured_sources_are_measured(planted):
    job = prepare_job(config(planted, measure_on=("manual", "useless")))
    names = {split: set(job.rows(split)["source"]) for split in ("train", "validation", "test")}
    assert names["test"] == names["validation"] == {"manual", "useless"}
    assert names["train"] == {"manual", "useless", "easy", "harmful"}
    # Shares are those of the measured rows.
    assert len(job.rows("test")) == pytest.approx(200, abs=3)
    assert len(job.rows("validation")) == pytest.approx(100, abs=3)


def test_copies_of_measured_rows_are_not_trained_on(tmp_path):
    table = make_table(1, "alike", rows=200)
    copies = table[table["source"] == "manual"].assign(source="copied")
    near = copies.assign(text=copies["text"] + "!", source="near")
    path = tmp_path / "copied.csv"
    pd.concat([copies, table, near]).to_csv(path, index=False)
    job = prepare_job(config(path, measure_on=("manual",)))
    # Of exact copies, the measured row is the one that is kept.
    assert "copied" not in set(job.examples.rows["source"])
    tested, validated = (
        set(job.rows(name)["text"].str.rstrip("!")) for name in ("test", "validation")
    )
    assert len(tested) == pytest.approx(40, abs=3)
    assert (tested | validated).isdisjoint(job.rows("train")["text"].str.rstrip("!"))
    left_out = job.left_out()
    assert left_out["copy_of"].value_counts().to_dict() == {
        "test": len(tested),
        "validation": len(validated),
    }
    assert set(left_out["kind"]) == {"near-copy"}
    line = f"{len(tested)} training rows are copies or near-copies of test rows (100.0% of the test"
    assert [warning for warning in job.warnings() if warning.startswith(line)]


def test_given_splits_lose_rows_of_other_sources(tmp_path):
    table = make_table(2, "easy", rows=90)
    table["part"] = np.where(np.arange(len(table)) // 3 % 3, "train", "test")
    table.to_csv(tmp_path / "given.csv", index=False)
    job = prepare_job(config(tmp_path / "given.csv", measure_on=("manual",), split_column="part"))
    assert set(job.rows("test")["source"]) == {"manual"}
    assert len(job.rows("test")) == 30
    # Validation rows are taken from the training rows of the measured source alone.
    assert set(job.rows("validation")["source"]) == {"manual"}
    assert (job.rows("train")["source"] == "easy").sum() == 60
    assert [line for line in job.warnings() if "30 validation or test rows are of sources" in line]


def test_sources_are_told_apart():
    table = make_table(3, "easy", "alike", rows=300)
    apart = table[table["source"] != "alike"].reset_index(drop=True)
    found = examine_sources(apart, np.arange(len(apart)), 0)
    assert found["balanced_accuracy"] > 0.99
    assert found["chance"] == 0.5
    assert all(ngram.startswith("e") for ngram in found["ngrams"]["easy"])
    assert found["rows"] == {"manual": 300, "easy": 300}
    assert found["association"] == pytest.approx(0, abs=1e-9)
    alike = table[table["source"] != "easy"].reset_index(drop=True)
    groups = np.arange(len(alike))
    groups[300] = groups[0]
    found = examine_sources(alike, groups, 0)
    assert found["balanced_accuracy"] < 0.6
    assert (found["shared_groups"], found["rows_in_shared_groups"]) == (1, 2)


def test_a_source_that_gives_the_label_away():
    rows = pd.DataFrame(
        {
            "text": [f"text {i}" for i in range(40)],
            "label": ["a"] * 20 + ["b"] * 20,
            "source": ["x"] * 20 + ["y"] * 20,
        }
    )
    assert examine_sources(rows, np.arange(40), 0)["association"] == pytest.approx(1)
    one = examine_sources(rows.assign(source="x"), np.arange(40), 0)
    assert (one["association"], one["balanced_accuracy"]) == (0, None)


@pytest.mark.parametrize("seed", range(20))
def test_a_harmless_source_raises_no_warning(tmp_path, seed):
    make_table(seed, "alike", rows=300).to_csv(tmp_path / "t.csv", index=False)
    found = examine_table(config(tmp_path / "t.csv"))
    assert found["warnings"] == []
    assert not found["novelty"]["decides"]


def test_an_easy_source_is_advised_against(planted):
    found = examine_table(config(planted))
    assert advise_source(found["sources"], found["by_source"]) in found["warnings"]
    assert any("--measure-on" in line for line in found["warnings"])


def test_doctor_shows_sources(planted, capsys):
    assert cli.main(["doctor", str(planted), "--source-column=source"]) == 0
    text = capsys.readouterr().out
    assert "tells the sources apart with a balanced accuracy of" in text
    assert "novelty:" in text


def test_worth_of_sources(planted, tmp_path, capsys):
    page = tmp_path / "worth.html"
    arguments = [
        *("sources", f"--data={planted}", "--source-column=source", "--measure-on=manual"),
        *(f"--output={tmp_path}", "--folds=3", "--max-bytes=128", "--json"),
    ]
    assert cli.main([*arguments, f"--page={page}"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    verdicts = {name: entry["verdict"] for name, entry in found["sources"].items()}
    assert verdicts == {"easy": "undecided", "harmful": "worse", "useless": "undecided"}
    curve = found["sources"]["harmful"]["curve"]
    assert [point["rows"] for point in curve] == [125, 250, 500]
    scores = [point["measures"]["macro_f1"]["value"] for point in curve]
    assert found["alone"]["macro_f1"]["value"] > scores[0] > scores[2]
    text = page.read_text()
    assert "leave them out, or weigh them less (--source-weights harmful=0.3)" in text
    assert "they are of no clear use" in text
    # What was predicted is kept.
    assert "fold 1 of 3" in captured.err
    assert cli.main(arguments) == 0
    again = capsys.readouterr()
    assert json.loads(again.out) == found
    assert "fold" not in again.err


def test_weights_of_sources_are_learned_by(planted, tmp_path, capsys):
    """Without weight, harmful rows no longer harm."""
    scores = {}
    for weight in ("1", "0"):
        arguments = [f"--data={planted}", *OPTIONS, "--measure-on=manual", f"--output={tmp_path}"]
        assert cli.main(["train", *arguments, f"--source-weights=harmful={weight}", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        scores[weight] = found["test"]["measures"]["macro_f1"]["value"]
    assert scores["0"] > scores["1"] + 0.1


@pytest.mark.parametrize("more", [[], ["--towers=2"]])
def test_a_network_learns_by_weights_of_sources(tmp_path, capsys, more):
    """Rows with wrong labels and without weight teach nothing."""
    path = tmp_path / "posts.csv"
    make_table(4, "harmful", "harmful", rows=240).to_csv(path, index=False)
    arguments = [
        *(f"--data={path}", "--source-column=source", "--measure-on=manual", *SMALL, *more),
        *(f"--output={tmp_path}", "--epochs=8", "--patience=8", "--max-bytes=128"),
    ]
    assert cli.main(["train", *arguments, "--source-weights=harmful=0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["test"]["measures"]["accuracy"]["value"] > 0.5
    assert cli.main(["train", *arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["test"]["measures"]["accuracy"]["value"] < 0.3


def test_augmented_rows_are_a_source_of_their_own(planted, tmp_path, capsys):
    arguments = [f"--data={planted}", *OPTIONS, "--augment=character", "--augment-ratio=0.1"]
    assert cli.main(["train", *arguments, f"--output={tmp_path}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["train_by_source"]["augmented"] == found["augmentation"]["kept"] > 0
    assert "augmented" not in found["test"]["by_source"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--measure-on", "manual"], "--measure-on needs --source-column COLUMN"),
        (["--source-weights", "a=1"], "--source-weights needs --source-column COLUMN"),
        (["--source-column=origin"], "no column 'origin'"),
        (["--slice-column=dialect"], "no column 'dialect'"),
        ([*OPTIONS, "--measure-on", "typed"], "--measure-on names 'typed'; found 'easy'"),
        ([*OPTIONS, "--source-weights", "typed=2"], "--source-weights names 'typed'; found"),
        ([*OPTIONS, "--source-weights", "manual=-1"], "expected SOURCE=WEIGHT once"),
        ([*OPTIONS, "--source-weights", "manual"], "expected SOURCE=WEIGHT once"),
        ([*OPTIONS, "--source-weights", "manual=1", "manual=2"], "expected SOURCE=WEIGHT once"),
    ],
)
def test_mistakes_are_one_line(planted, tmp_path, capsys, options, message):
    assert cli.main(["train", f"--data={planted}", f"--output={tmp_path}", *options]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error


def test_mistakes_of_sources_are_one_line(planted, tmp_path, capsys):
    arguments = ["sources", f"--data={planted}", "--source-column=source", f"--output={tmp_path}"]
    assert cli.main(arguments) == 2
    assert "found no --measure-on SOURCE" in capsys.readouterr().err
    names = ["easy", "harmful", "manual", "useless"]
    assert cli.main([*arguments, "--measure-on", *names]) == 2
    assert "names every source with training rows" in capsys.readouterr().err
    assert cli.main(["evaluate", str(tmp_path), "--source-column=source"]) == 2


def test_weights_of_sources_are_searched(planted, tmp_path, capsys):
    space = tmp_path / "space.yaml"
    space.write_text("source_weights: [[harmful=1], [harmful=0]]\n")
    arguments = [
        *("search", f"--data={planted}", *OPTIONS, "--measure-on", "manual", "--algorithm=grid"),
        *(f"--space={space}", "--final-seeds=0", f"--output={tmp_path}", "--json"),
    ]
    assert cli.main(arguments) == 0
    best = next(tmp_path.rglob("best.yaml"))
    assert TrainConfig.from_yaml(best).source_weights == ("harmful=0",)
