import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL

from export import distill
from kerasclf import cli
from kerasclf.config import TrainConfig
from kerasclf.job.folds import Rows, fold_folder
from kerasclf.job.prepare import prepare_job
from kerasclf.job.train_rows import make_trainer
from kerasclf.train import main as train


@pytest.fixture(scope="module")
def crossed(table, tmp_path_factory):
    """Arguments of train, and the folder of runs after a cross-validation with them."""
    output = tmp_path_factory.mktemp("crossed")
    arguments = [f"--data={table}", f"--output={output}", "--epochs=4", *SMALL]
    assert cli.main(["crossval", *arguments, "--folds=2"]) == 0
    return arguments, output


def test_crossval(crossed, capsys):
    arguments, output = crossed
    # Once more: the folds are cached, and the metrics are the same.
    capsys.readouterr()
    assert cli.main(["crossval", *arguments, "--folds=2", "--json"]) == 0
    captured = capsys.readouterr()
    assert "fold 1 of 2" not in captured.err
    result = json.loads(captured.out)
    assert len(list((output / "greetings" / "out_of_fold").iterdir())) == 1
    first, second = (fold["macro_f1"] for fold in result["folds"])
    assert result["mean"]["macro_f1"] == pytest.approx((first + second) / 2)
    # The standard deviation of two values is their distance by the square root of 2.
    assert result["std"]["macro_f1"] == pytest.approx(abs(first - second) / np.sqrt(2))

    config = TrainConfig.from_yaml(next((output / "greetings").rglob("config.yaml")))
    job = prepare_job(config)
    predictions = pd.read_parquet(f"{result['folder']}/predictions.parquet")
    texts, _ = job.texts_and_class_ids("train")
    assert sorted(predictions["text"]) == sorted(texts)
    assert not set(predictions["text"]) & set(job.texts_and_class_ids("test")[0])
    groups = predictions.merge(job.split, on="row").groupby("group")["fold"]
    assert groups.nunique().max() == 1
    right = predictions["label"] == predictions["predicted_label"]
    accuracy = [fold["accuracy"] for fold in result["folds"]]
    assert right.groupby(predictions["fold"]).mean().tolist() == pytest.approx(accuracy)


def test_distillation_uses_the_folds(crossed, tmp_path, capsys):
    arguments, output = crossed
    assert train(arguments) == 0
    run = output / "greetings" / "1"
    capsys.readouterr()
    options = ["--out-of-fold=2", "--student=small", f"--output={tmp_path}", "--name=student"]
    assert distill.main([str(run), *options]) == 0
    assert "fold 1 of 2" not in capsys.readouterr().err
    assert len(list((output / "greetings" / "out_of_fold").iterdir())) == 1


def test_folds_are_cached_by_what_a_model_learns(tmp_path):
    config = TrainConfig(name="a").resolved()
    place = fold_folder(tmp_path, config)
    for change in ({"name": "b"}, {"target": ()}, {"review_below": 0.5}, {"output": tmp_path}):
        assert fold_folder(tmp_path, TrainConfig(**{"name": "a", **change}).resolved()) == place
    for change in ({"seed": 1}, {"epochs": 7}, {"class_weights": "none"}, {"buckets": 64}):
        assert fold_folder(tmp_path, TrainConfig(name="a", **change).resolved()) != place


def test_folds_cached_by_version_0_1_are_found(tmp_path):
    # A new option must be in ADDED or NOT_LEARNED, or all folds are trained again.
    folder = fold_folder(tmp_path, TrainConfig(name="a", linear="none", max_bytes=256).resolved())
    assert folder == tmp_path / "out_of_fold" / "46351e8227060a98"
    for change in ({"loss": "toy"}, {"linear": "tfidf"}):
        changed = TrainConfig(
            **{"name": "a", "linear": "none", "max_bytes": 256} | change
        ).resolved()
        assert fold_folder(tmp_path, changed) != folder


def test_a_configuration_file_is_read(crossed, tmp_path, capsys):
    path = next(crossed[1].rglob("config.yaml"))
    capsys.readouterr()
    assert cli.main(["crossval", f"--config={path}", "--folds=2", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["folds"]) == 2


BAD = {
    "one fold": (["--folds=1"], "--folds is 1; expected at least 2"),
    "empty class": (["--folds=50"], "class 'de' is absent from a fold: .* lower --folds"),
    "groups too few": (
        ["--folds=5", "--group-column=author"],
        "class 'en' is absent from a fold: .* form 4 group",
    ),
    "train's own errors": (["--dropout=1.5"], "--dropout is 1.5"),
    "no such option": (["--resume=x"], "--resume"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_cross_validations(case, table, tmp_path, capsys):
    arguments, message = BAD[case]
    rows = pd.read_csv(table)
    # Each author writes in one language; of the seven of English, four are for training.
    rows["author"] = rows["label"] + (rows.groupby("label").cumcount() % 7).astype(str)
    rows.to_csv(tmp_path / "t.csv", index=False)
    capsys.readouterr()
    code = cli.main(
        ["crossval", f"--data={tmp_path}/t.csv", f"--output={tmp_path}/runs", *arguments]
    )
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err), captured.err
    assert not (tmp_path / "runs").exists()


def test_a_fold_has_the_class_weights_of_its_own_configuration(table):
    size = {"max_bytes": 48, "buckets": 512, "embedding_dim": 8, "filters": 8, "epochs": 1}
    job = prepare_job(TrainConfig(data=table, linear="none", **size))
    rows = Rows(*job.texts_and_class_ids("train"))
    none, again, balanced = (
        make_trainer(replace(job.config, class_weights=weights), job)(rows)(["selamat pagi"])
        for weights in ("none", "none", "balanced")
    )
    np.testing.assert_array_equal(none, again)
    assert np.abs(none - balanced).max() > 1e-6
