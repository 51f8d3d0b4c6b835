import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import SMALL

from kerasclf.config import TrainConfig
from kerasclf.job.prepare import prepare_job
from kerasclf.run.layout import RunLayout
from kerasclf.train import main as train


def metrics_of(run):
    return json.loads((run / "metrics.json").read_text())


def test_leaves_a_whole_run(run):
    layout = RunLayout.open(run)
    names = {path.name for path in run.iterdir()}
    expected = {"model.keras", "featurizer", "labels.json", "decision.json", "config.yaml"}
    expected |= {"split.parquet", "metrics.json", "predictions.parquet", "history.csv"}
    expected |= {"doctor.json", "report.html", "model_card.md", "tensorboard", "manifest.json"}
    assert names == expected
    assert not list(run.parent.glob("*.partial"))
    metrics = metrics_of(run)
    assert metrics["test"]["measures"]["macro_f1"]["value"] > 0.8
    assert metrics["test"]["rows"] == metrics["rows"]["test"]
    assert metrics["seconds"].keys() >= {"data", "build", "train", "test", "baseline"}
    assert metrics["peak_memory_bytes"] > 10**8
    predictions = pd.read_parquet(layout.predictions)
    assert predictions["split"].value_counts()["test"] == metrics["rows"]["test"]
    test = predictions[predictions["split"] == "test"]
    accuracy = (test["label"] == test["predicted_label"]).mean()
    assert accuracy == metrics["test"]["measures"]["accuracy"]["value"]
    assert (test["baseline_label"] == test["label"]).mean() == pytest.approx(
        metrics["baseline"]["measures"]["accuracy"]
    )


def test_report_is_one_file_and_card_has_the_figures(run):
    report = (run / "report.html").read_text()
    assert report.count("<svg") == 9
    assert "<script" not in report
    assert 'src="' not in report
    assert "http-equiv" not in report
    value = metrics_of(run)["test"]["measures"]["macro_f1"]["value"]
    assert f"{value:.4f}" in report
    assert f"{value:.4f}" in (run / "model_card.md").read_text()


def test_split_has_no_leak(run):
    split = pd.read_parquet(run / "split.parquet")
    assert split.groupby("group")["split"].nunique().max() == 1


def test_configuration_makes_the_same_run_again(run, tmp_path):
    code = train([f"--config={run}/config.yaml", f"--output={tmp_path}", "--name=again"])
    assert code == 0
    again = tmp_path / "again" / "1"
    assert metrics_of(again)["test"] == metrics_of(run)["test"]
    first, second = (yaml.safe_load((r / "config.yaml").read_text()) for r in (run, again))
    assert {k for k in first if first[k] != second[k]} == {"output", "name"}


def test_locked_split_and_every_other_option(run, table, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    costs = tmp_path / "costs.json"
    costs.write_text('{"de": {"id": 10, "en": 10}, "id": {"de": 1}, "en": {"de": 1}}')
    options = ["--sampler=sqrt", "--class-weights=none", "--augment=word", "--label-smoothing=0.1"]
    options += [
        "--focal-gamma=0",
        "--review-below=0.9",
        f"--cost-matrix={costs}",
        "--mixed-precision",
    ]
    options += ["--label-order", "id", "en", "de", "--epochs=2", "--seed=5", "--patience=1"]
    output = f"--output={tmp_path}/runs"
    assert train([f"--data={table}", f"--split={run}", output, *options, *SMALL]) == 0
    other = tmp_path / "runs" / "greetings" / "1"
    first, second = (pd.read_parquet(r / "split.parquet") for r in (run, other))
    assert (first["split"] == second["split"]).all()
    metrics = metrics_of(other)
    assert metrics["labels"] == ["id", "en", "de"]
    assert "quadratic_kappa" in metrics["test"]["measures"]
    assert metrics["decision"]["rule"] == "costs"
    assert metrics["test"]["review"]["below"] == 0.9
    import keras

    assert keras.config.dtype_policy().name == "float32"


def test_a_compiled_run_learns(table, tmp_path):
    options = [f"--data={table}", f"--output={tmp_path}", "--epochs=4", *SMALL]
    assert train([*options, "--jit-compile", "--mixed-precision"]) == 0
    run = tmp_path / "greetings" / "1"
    assert pd.read_csv(run / "history.csv")["loss"].is_monotonic_decreasing
    assert yaml.safe_load((run / "config.yaml").read_text())["jit_compile"] is True


def test_three_files(table, tmp_path):
    rows = pd.read_csv(table)
    parts = {"data": rows[::2], "validation": rows[1::4], "test": rows[3::4]}
    arguments = {}
    for name, part in parts.items():
        arguments[name] = tmp_path / f"{name}.jsonl"
        part.to_json(arguments[name], orient="records", lines=True)
    job = prepare_job(TrainConfig(**arguments, output=tmp_path / "runs"))
    assert (job.split["split"] == "test").sum() == 25
    assert len(job.rows("train")) + len(job.rows("validation")) == 75


def test_class_weights_and_sampler_together_are_warned_of(table, tmp_path):
    config = TrainConfig(data=table, output=tmp_path, sampler="balanced", class_weights="balanced")
    (warning,) = (line for line in prepare_job(config).warnings() if "sampler" in line)
    assert "correct the imbalance twice" in warning
    config.class_weights = "none"
    assert not any("sampler" in line for line in prepare_job(config).warnings())


def test_json_is_alone_on_stdout(table, tmp_path):
    command = [sys.executable, "-m", "kerasclf.train", f"--data={table}", f"--output={tmp_path}"]
    done = subprocess.run(
        [*command, "--epochs=1", "--json", *SMALL], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["run"] == f"{tmp_path}/greetings/1"
    assert "epoch 1/1" in done.stderr


def wait_for(backup, epochs, process, seconds=900):
    """Waits until that many epochs are behind the backup."""
    end = time.monotonic() + seconds
    while not any(int(path.name[:6]) >= epochs for path in backup.glob("0*.npz")):
        assert process.poll() is None, "the process ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def hard_table(table, tmp_path):
    """The table with every sixth label wrong, so that no two models have the same figures."""
    rows = pd.read_csv(table)
    rows.loc[::6, "label"] = rows["label"].iloc[::-1].to_numpy()[::6]
    rows.to_csv(tmp_path / "hard.csv", index=False)
    return tmp_path / "hard.csv"


@pytest.mark.slow
def test_killed_and_resumed_ends_where_an_uninterrupted_run_ends(hard_table, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    options = [f"--data={hard_table}", "--name=greetings", "--augment=keyboard"]
    options += ["--epochs=12", "--patience=12", *SMALL]
    assert train([*options, f"--output={tmp_path}/whole"]) == 0
    whole = tmp_path / "whole" / "greetings" / "1"

    partial = tmp_path / "cut" / "greetings" / "1.partial"
    for kills, epochs in enumerate((3, 7)):
        arguments = [*options, f"--output={tmp_path}/cut"]
        if kills:
            arguments = [f"--resume={partial}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "kerasclf.train", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(partial / "backup", epochs, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert partial.is_dir()
        assert not partial.with_suffix("").exists()

    assert train([f"--resume={partial}"]) == 0
    cut = tmp_path / "cut" / "greetings" / "1"
    assert metrics_of(cut)["test"] == metrics_of(whole)["test"]
    first, second = (pd.read_csv(r / "history.csv").drop(columns="seconds") for r in (whole, cut))
    pd.testing.assert_frame_equal(first, second)
    logits = [
        pd.read_parquet(r / "predictions.parquet").filter(like="logit_") for r in (whole, cut)
    ]
    np.testing.assert_array_equal(*logits)


def test_resume_refuses_changed_data(table, tmp_path, capsys):
    data = tmp_path / "greetings.csv"
    data.write_text(table.read_text())
    layout = RunLayout.create(tmp_path / "runs", "greetings")
    config = TrainConfig(data=data, name="greetings", output=tmp_path / "runs").resolved()
    layout.doctor.write_text('{"sha256": "0"}')
    layout.config.write_text(config.to_yaml())
    pd.DataFrame({"split": []}).to_parquet(layout.split)
    assert train([f"--resume={layout.root}"]) == 2
    assert "the data has changed" in capsys.readouterr().err


HOSTILE = ["[/b]", "$x_{2$ <i>", "a|b, c/d"]


def test_any_label_is_a_label(table, tmp_path, capsys):
    rows = pd.read_csv(table)
    rows["label"] = rows["label"].map(dict(zip(["id", "en", "de"], HOSTILE, strict=True)))
    rows.to_csv(tmp_path / "t.csv", index=False)
    options = [f"--output={tmp_path}/runs", "--epochs=1", *SMALL]
    assert train([f"--data={tmp_path}/t.csv", *options]) == 0
    run = tmp_path / "runs" / "t" / "1"
    assert "<i>" not in (run / "report.html").read_text()
    assert "<i>" not in (run / "model_card.md").read_text()
    assert "[/b]" in capsys.readouterr().out


def test_configuration_means_the_same_when_it_is_read_again(tmp_path):
    config = TrainConfig(
        data=tmp_path / "t.csv",
        text_column="-text",
        group_column="no",
        label_order=("--epochs", "yes"),
        target=(),
        name="007",
        review_below=0.5,
        mixed_precision=True,
    ).resolved()
    path = tmp_path / "config.yaml"
    path.write_text(config.to_yaml())
    assert TrainConfig.from_yaml(path) == config


def test_a_run_has_one_process(run, tmp_path, capsys):
    from kerasclf.run.hold import hold

    partial = shutil.copytree(run, tmp_path / "greetings" / "1.partial")
    run = partial.with_suffix("")
    metrics = (partial / "metrics.json").read_text()
    (partial / "metrics.json").unlink()
    with hold(RunLayout(partial)):
        capsys.readouterr()
        assert train([f"--resume={partial}"]) == 2
    assert "is being trained by another process" in capsys.readouterr().err
    # Killed after the last file and before the new name: only the name is missing.
    (partial / "metrics.json").write_text(metrics)
    assert train([f"--resume={partial}"]) == 0
    assert not (run / ".lock").exists()
    assert (run / "metrics.json").read_text() == metrics
