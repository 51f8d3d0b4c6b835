import json
import math
from dataclasses import replace

import pandas as pd
import pytest
from searches import make_plan

from kerasclf.config import TrainConfig
from kerasclf.job.job import Job
from kerasclf.job.prepare import prepare_job
from tuning.trial import TrialError, run_trial, summarize
from tuning.workers.pool import share


class Sealed(Job):
    """A job whose test rows nobody may read."""

    def rows(self, split):
        assert split != "test"
        return super().rows(split)

    def texts_and_class_ids(self, split):
        assert split != "test"
        return super().texts_and_class_ids(split)


@pytest.fixture
def sealed(run):
    config = TrainConfig.from_yaml(run / "config.yaml")
    job = prepare_job(config)
    return config, Sealed(**vars(job))


def test_a_trial_is_a_run_without_its_test(run, sealed, tmp_path):
    config, job = sealed
    choices = {"class_weights": ["effective", "none"]}
    plan = make_plan(config, choices, tmp_path)
    rows = {}
    for weights in choices["class_weights"]:
        values = plan.encode({"class_weights": weights})
        result = run_trial(plan, job, weights, values, "worker")
        history = pd.read_csv(tmp_path / "trials" / weights / "history.csv")
        assert result["val_macro_f1"] == history["val_macro_f1"].max()
        rows[weights] = history.drop(columns="seconds")
    # The run has effective weights: a trial with them has its very losses, one without has not.
    own = pd.read_csv(run / "history.csv").drop(columns="seconds")
    pd.testing.assert_frame_equal(rows["effective"], own)
    assert (rows["none"]["loss"][:3] != own["loss"][:3]).all()
    left = {path.name for path in (tmp_path / "trials" / "none").iterdir()}
    assert left == {"config.yaml", "history.csv", "result.json", "tensorboard"}


def test_a_finished_trial_is_read_and_one_of_another_search_is_not(sealed, tmp_path):
    config, job = sealed
    plan = make_plan(replace(config, epochs=1), {"filters": [4, 8]}, tmp_path)
    first = run_trial(plan, job, "0000", plan.encode({"filters": 4}), "worker")
    path = tmp_path / "trials" / "0000" / "result.json"
    path.write_text(json.dumps({**first, "seconds": -1.0}))
    again = run_trial(plan, job, "0000", plan.encode({"filters": 4}), "worker")
    assert again["seconds"] == -1
    other = run_trial(plan, job, "0000", plan.encode({"filters": 8}), "worker")
    assert other["seconds"] > 0


def test_a_loss_that_is_no_number_fails_a_trial():
    row = {"epoch": 2, "loss": math.nan, "val_loss": 1.0}
    with pytest.raises(TrialError, match="the loss is nan in epoch 2"):
        summarize([row])


def test_costs_are_those_of_the_exported_file(sealed, tmp_path):
    config, job = sealed
    base = replace(config, epochs=1)
    plan = make_plan(base, {"filters": [8]}, tmp_path, max_size=10**6, max_latency=1e3)
    result = run_trial(plan, job, "0000", plan.encode({"filters": 8}), "worker")
    assert 512 * 8 < result["bytes"] < 10**6
    assert 0 < result["p95_ms"] < 1e3
    plan = make_plan(base, {"filters": [8]}, tmp_path / "small", max_size=1000)
    with pytest.raises(TrialError, match="bytes are over --max-size"):
        run_trial(plan, job, "0000", plan.encode({"filters": 8}), "worker")


def test_shares_of_cores():
    assert [share([0, 1, 2, 3, 4], 2, i) for i in range(2)] == [(0, 2, 4), (1, 3)]
    assert [share([0, 1], 3, i) for i in range(3)] == [(0,), (1,), (0,)]
    assert share([], 2, 0) == ()
