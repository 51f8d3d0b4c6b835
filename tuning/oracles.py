"""The four algorithms: KerasTuner's, made to survive a kill at any moment, and our own grid."""

import json
import sys
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus

from kerasclf.files import read_json, write_json
from tuning.plan import FINAL_OF, FINAL_SEED, FINALISTS, Search

COLLISIONS = 1000
"""Draws in a row that were tried before, after which a space counts as exhausted."""
IDENTITY = "search"
"""A fixed value, by which a worker knows that the chief leads the same search."""


class SearchOracle(keras_tuner.Oracle):
    """What the four have in common.

    - The oracle and all its trials are one file that is renamed into place. KerasTuner writes them
      as several, in place: a kill between two leaves a trial lost or finished twice.
    - After the last trial come the finals: the best trials with other seeds.
    - No combination is tried twice, though Bayesian optimization would.
    """

    def __init__(self, search: Search, **arguments: Any):
        """Makes an oracle that proposes for a search; `arguments` are the algorithm's own."""
        super().__init__(**arguments)
        self.search = search
        self._max_collisions = COLLISIONS

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes the next trial, then the finals.

        Returns:
            "status": RUNNING with "values", IDLE while others must end first, or STOPPED.
        """
        searched = self.searched()
        if len(searched) == len(self.trials) < self.search.trials:
            response = self.propose(trial_id)
            if response["status"] != TrialStatus.STOPPED:
                return response
        # Which trials are the best is known when all have ended.
        if any(trial.status == TrialStatus.RUNNING for trial in searched):
            return {"status": TrialStatus.IDLE}
        begun = {(values.get(FINAL_OF), values.get(FINAL_SEED)) for values in self._values()}
        for finalist in self.ranked()[:FINALISTS]:
            for i in range(self.search.final_seeds):
                # The search has chosen the trial for its seed, too: that one is no evidence.
                final = (finalist.trial_id, self.search.config.seed + 1 + i)
                if final not in begun:
                    values = dict(finalist.hyperparameters.values)
                    values |= {FINAL_OF: final[0], FINAL_SEED: final[1]}
                    return {"status": TrialStatus.RUNNING, "values": values}
        return {"status": TrialStatus.STOPPED}

    def propose(self, trial_id: str) -> dict[str, Any]:
        """The algorithm's next trial."""
        return super().populate_space(trial_id)

    def searched(self) -> list[Trial]:
        """The trials that are no finals, in their order."""
        # A copy, since another thread may add one.
        trials = list(self.trials.values())
        return [t for t in trials if FINAL_OF not in t.hyperparameters.values]

    def finals(self, trial: Trial) -> list[Trial]:
        """The finals of a trial, in the order of their seeds."""
        trials = list(self.trials.values())
        return [t for t in trials if t.hyperparameters.values.get(FINAL_OF) == trial.trial_id]

    def ranked(self) -> list[Trial]:
        """The completed trials, best first; of equal ones the earlier."""
        completed = [t for t in self.searched() if t.status == TrialStatus.COMPLETED]
        return sorted(completed, key=lambda trial: -trial.score)

    def _values(self) -> list[dict[str, Any]]:
        return [trial.hyperparameters.values for trial in self.trials.values()]

    def save(self) -> None:
        """Writes the oracle and its trials, whole or not at all."""
        write_json(self.search.state, self.get_state())

    def reload(self) -> None:
        """Reads what `save` wrote; trials that were running will run again."""
        self.set_state(read_json(self.search.state))

    def get_state(self) -> dict[str, Any]:
        """The oracle and its trials, for JSON."""
        trials = [trial.get_state() for trial in self.trials.values()]
        return {**super().get_state(), "trials": trials}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes on a state of `get_state`."""
        self.trials = {entry["trial_id"]: Trial.from_state(entry) for entry in state["trials"]}
        # An ended trial still counts as ongoing when its end is saved: the status decides.
        super().set_state({**state, "ongoing_trials": {}})
        running = [t.trial_id for t in self.trials.values() if t.status == TrialStatus.RUNNING]
        self._retry_queue = running[::-1]

    def _save_trial(self, trial: Trial) -> None:
        """Nothing: `save` writes the trials, too."""


class GridOracle(SearchOracle):
    """Walks the list of all combinations (KerasTuner's own grid cannot be resumed)."""

    def propose(self, trial_id: str) -> dict[str, Any]:
        """The next combination of the list."""
        combinations = list(self.search.space.combinations())
        place = len(self.searched())
        if place >= len(combinations):
            return {"status": TrialStatus.STOPPED}
        values = self.search.encode(combinations[place])
        return {"status": TrialStatus.RUNNING, "values": values}


class RandomOracle(SearchOracle, keras_tuner.oracles.RandomSearchOracle):
    """Draws combinations at random."""


class BayesianOracle(SearchOracle, keras_tuner.oracles.BayesianOptimizationOracle):
    """Proposes where a Gaussian process hopes for most."""

    def propose(self, trial_id: str) -> dict[str, Any]:
        """The process's choice, or a random one where that was tried before."""
        response = super().propose(trial_id)
        if response["status"] == TrialStatus.RUNNING and self._duplicate(response["values"]):
            return self._random_populate_space()
        return response


class HyperbandOracle(SearchOracle, keras_tuner.oracles.HyperbandOracle):
    """Trains many for few epochs, and the best of them anew for more.

    Each trial is trained from its beginning, not from where the former one ended: the learning
    rate falls over all epochs of a run, so that only then a trial is what `kerasclf train` gives.
    """


def make_oracle(search: Search, identity: str) -> SearchOracle:
    """Makes the oracle of a search.

    Args:
        search: the search.
        identity: SHA-256 of its settings.
    """
    space = keras_tuner.HyperParameters()
    space.Fixed(IDENTITY, identity)
    for key, values in search.space.choices.items():
        space.Choice(key, [json.dumps(value) for value in values])
    arguments = {
        "objective": keras_tuner.Objective(search.metric, "max"),
        "hyperparameters": space,
        # 0 would mean a random one to KerasTuner.
        "seed": search.config.seed + 1,
        "max_consecutive_failed_trials": sys.maxsize,
    }
    if search.algorithm == "hyperband":
        epochs = search.config.resolved().epochs
        # More sweeps than trials, which end the search.
        arguments |= {"max_epochs": epochs, "hyperband_iterations": search.trials}
        return HyperbandOracle(search, **arguments)
    # The oracle counts its trials itself, since finals do not count.
    arguments["max_trials"] = None
    if search.algorithm == "bayesian":
        # KerasTuner's default, three a parameter, could use up all trials.
        points = min(3 * len(search.space.choices), max(3, search.trials // 3))
        return BayesianOracle(search, num_initial_points=points, **arguments)
    return {"grid": GridOracle, "random": RandomOracle}[search.algorithm](search, **arguments)


def winner(oracle: SearchOracle) -> Trial | None:
    """The trial with the best mean over its finals, or the best trial where there are no finals."""
    ranked = oracle.ranked()
    means = {trial.trial_id: mean_final(oracle, trial) for trial in ranked}
    finalists = [trial for trial in ranked if means[trial.trial_id] is not None]
    if finalists:
        return max(finalists, key=lambda trial: means[trial.trial_id])
    return ranked[0] if ranked else None


def mean_final(oracle: SearchOracle, trial: Trial) -> float | None:
    """Mean score of a trial's finals; None where there is none, or one of them failed."""
    scores = [final.score for final in oracle.finals(trial)]
    return None if not scores or None in scores else float(np.mean(scores))
