"""Oracles, with scores that are a function of the values."""

import random
from dataclasses import replace

import pytest
from searches import TINY, make_plan

from kerasclf.config import TrainConfig
from tuning.algorithms import ALGORITHMS
from tuning.oracles import make_oracle, winner
from tuning.space import Space


def advance(oracle, trial):
    chosen = oracle.plan.decode(trial.hyperparameters.values)
    score = chosen["learning_rate"] + chosen["filters"] / 100 - chosen["dropout"]
    oracle.update_trial(trial.trial_id, {"val_macro_f1": score})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)


def walk(plan, cut):
    """Has an oracle propose to its end, and leaves it for a new one at some moments."""
    oracle = make_oracle(plan, "fingerprint")
    oracle.verbose = 0
    moments = random.Random(0)
    while (trial := oracle.create_trial("tuner")).status != "STOPPED":
        assert trial.status == "RUNNING"
        advanced = not cut or moments.random() < 0.7
        if advanced:
            advance(oracle, trial)
        if cut and (not advanced or moments.random() < 0.5):
            oracle = make_oracle(plan, "fingerprint")
            oracle.verbose = 0
            oracle.reload()
    return oracle


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_oracle_proposes_each_trial_once_then_the_finals(algorithm, cut, tmp_path):
    config = TrainConfig(epochs=3, name="x")
    size = Space(TINY).size
    trials = 9 if algorithm == "hyperband" else size
    plan = make_plan(config, TINY, tmp_path, algorithm=algorithm, trials=trials, final_seeds=2)
    oracle = walk(plan, cut)
    searched = oracle.searched()
    assert len(searched) == trials
    assert {trial.status for trial in oracle.trials.values()} == {"COMPLETED"}
    configs = {plan.trial_config(t.hyperparameters.values).to_yaml() for t in searched}
    assert len(configs) == trials
    seeds = [
        sorted(plan.trial_config(t.hyperparameters.values).seed for t in oracle.finals(trial))
        for trial in oracle.ranked()[:4]
    ]
    assert seeds == [[1, 2], [1, 2], [1, 2], []]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_finals_decide(tmp_path):
    plan = make_plan(TrainConfig(name="x"), {"filters": [4, 8]}, tmp_path, trials=2)
    plan = replace(plan, final_seeds=2)
    oracle = make_oracle(plan, "fingerprint")
    oracle.verbose = 0
    for score in (0.9, 0.8, 0.5, 0.6, 0.7, 0.75):
        trial = oracle.create_trial("tuner")
        oracle.update_trial(trial.trial_id, {"val_macro_f1": score})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    assert oracle.create_trial("tuner").status == "STOPPED"
    assert oracle.ranked()[0].trial_id == "0000"
    assert winner(oracle).trial_id == "0001"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_worker_stops_before_every_trial_has_ended(tmp_path):
    plan = make_plan(TrainConfig(name="x"), {"filters": [4]}, tmp_path, trials=1, final_seeds=1)
    oracle = make_oracle(plan, "fingerprint")
    oracle.verbose = 0
    for seed in (0, 1):
        trial = oracle.create_trial("first")
        assert plan.trial_config(trial.hyperparameters.values).seed == seed
        assert oracle.create_trial("second").status == "IDLE"
        oracle.update_trial(trial.trial_id, {"val_macro_f1": 0.5})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    assert oracle.create_trial("first").status == "STOPPED"
    assert oracle.create_trial("second").status == "STOPPED"
