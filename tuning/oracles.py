"""The search algorithms: KerasTuner's oracles, made to survive a kill at any moment, and a grid."""

import json
import sys
from collections.abc import Iterable
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus

from kerasclf.encoders import find_encoder
from kerasclf.files import load_record, save_record
from tuning.algorithms import ALGORITHMS
from tuning.plan import FINAL_OF, FINAL_SEED, FINALISTS, SearchPlan

MAX_COLLISIONS = 1000
"""Random draws in a row that were all tried before, after which a space counts as exhausted."""
FINGERPRINT = "search"
"""A fixed entry of each space with the search's fingerprint. KerasTuner also draws for such an
entry, so that the trials of a seed would change without it."""


class SearchOracle(keras_tuner.Oracle):
    """The part that all algorithms share.

    - The oracle and all its trials are one file, written whole or not at all. KerasTuner writes
      several files in place: a kill between two of them loses a trial or ends it twice.
    - After the last trial come the finals: the best trials again, with other seeds.
    - Workers stop when every trial has ended, so that the search has ended when one of them stops.
    """

    def __init__(self, plan: SearchPlan, fingerprint: str):
        """Creates the oracle of a search.

        Args:
            plan: the search.
            fingerprint: SHA-256 of its settings.
        """
        space = keras_tuner.HyperParameters()
        space.Fixed(FINGERPRINT, fingerprint)
        for key, values in plan.space.choices.items():
            space.Choice(key, [json.dumps(value) for value in values])
        super().__init__(
            objective=keras_tuner.Objective(plan.metric, "max"),
            hyperparameters=space,
            # KerasTuner takes 0 for a random seed.
            seed=plan.config.seed + 1,
            max_consecutive_failed_trials=sys.maxsize,
            **self.arguments(plan),
        )
        self.plan = plan
        self._max_collisions = MAX_COLLISIONS
        self._has_ended = False

    @staticmethod
    def arguments(plan: SearchPlan) -> dict[str, Any]:
        """Arguments of the algorithm's own for KerasTuner's constructor."""
        # `populate_space` counts the trials, since finals do not count.
        return {"max_trials": None}

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes the next trial, then the finals.

        Returns:
            "status": RUNNING with "values", IDLE while other trials must end first, or STOPPED.
        """
        searched = self.searched()
        if self._has_ended:
            return {"status": TrialStatus.STOPPED}
        if len(searched) == len(self.trials) < self.plan.trials:
            response = self.propose(trial_id)
            if response["status"] != TrialStatus.STOPPED:
                return response
        # The best trials are known when all have ended.
        if _any_running(searched):
            return {"status": TrialStatus.IDLE}
        tried = [trial.hyperparameters.values for trial in self.trials.values()]
        started = {(entry.get(FINAL_OF), entry.get(FINAL_SEED)) for entry in tried}
        for finalist in self.ranked()[:FINALISTS]:
            for i in range(self.plan.final_seeds):
                # The trial was selected for its score with the search's own seed, which therefore
                # is no evidence.
                final = (finalist.trial_id, self.plan.config.seed + 1 + i)
                if final not in started:
                    values = dict(finalist.hyperparameters.values)
                    values |= {FINAL_OF: final[0], FINAL_SEED: final[1]}
                    return {"status": TrialStatus.RUNNING, "values": values}
        # A worker may still die in a final, which then is run again.
        if _any_running(self.trials.values()):
            return {"status": TrialStatus.IDLE}
        self._has_ended = True
        return {"status": TrialStatus.STOPPED}

    def propose(self, trial_id: str) -> dict[str, Any]:
        """The algorithm's next trial, as `populate_space` returns it."""
        return super().populate_space(trial_id)

    def searched(self) -> list[Trial]:
        """The trials without the finals, in the order of their start."""
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

    @keras_tuner.synchronized
    def save(self) -> None:
        """Writes the oracle and its trials, whole or not at all."""
        save_record(self.plan.state, self.get_state())

    def reload(self) -> None:
        """Reads what `save` wrote; trials that were running will run again."""
        self.set_state(load_record(self.plan.state))

    def get_state(self) -> dict[str, Any]:
        """The oracle and its trials, for JSON."""
        trials = [trial.get_state() for trial in self.trials.values()]
        return {**super().get_state(), "trials": trials}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores a state of `get_state`."""
        self.trials = {entry["trial_id"]: Trial.from_state(entry) for entry in state["trials"]}
        # KerasTuner saves the end of a trial before it removes it from the ongoing ones: the
        # status decides.
        super().set_state({**state, "ongoing_trials": {}})
        running = [t.trial_id for t in self.trials.values() if t.status == TrialStatus.RUNNING]
        self._retry_queue = running[::-1]

    def _save_trial(self, trial: Trial) -> None:
        """Does nothing: `save` also writes the trials."""


def _any_running(trials: Iterable[Trial]) -> bool:
    return any(trial.status == TrialStatus.RUNNING for trial in trials)


class GridOracle(SearchOracle):
    """Tries all combinations in order (KerasTuner's own grid cannot be resumed)."""

    def propose(self, trial_id: str) -> dict[str, Any]:
        """The next combination."""
        combinations = list(self.plan.space.combinations())
        i = len(self.searched())
        if i >= len(combinations):
            return {"status": TrialStatus.STOPPED}
        return {"status": TrialStatus.RUNNING, "values": self.plan.encode(combinations[i])}


class RandomOracle(SearchOracle, keras_tuner.oracles.RandomSearchOracle):
    """Draws combinations at random."""


class BayesianOracle(SearchOracle, keras_tuner.oracles.BayesianOptimizationOracle):
    """Maximizes the upper confidence bound of a Gaussian process over the scores so far."""

    @staticmethod
    def arguments(plan: SearchPlan) -> dict[str, Any]:
        """The number of random trials that the process starts from."""
        # KerasTuner's default, three per parameter, could use up all trials.
        points = min(3 * len(plan.space.choices), max(3, plan.trials // 3))
        return {"max_trials": None, "num_initial_points": points}

    def propose(self, trial_id: str) -> dict[str, Any]:
        """The process's choice, or a random one if that was tried before."""
        response = super().propose(trial_id)
        if response["status"] == TrialStatus.RUNNING and self._duplicate(response["values"]):
            return self._random_populate_space()
        return response


class HyperbandOracle(SearchOracle, keras_tuner.oracles.HyperbandOracle):
    """Trains many combinations for few epochs, and the best of them again for more.

    Each trial is trained from scratch instead of from the weights of the shorter one: the learning
    rate schedule spans all epochs of a run, so that only then a trial equals `kerasclf train`.
    """

    @staticmethod
    def arguments(plan: SearchPlan) -> dict[str, Any]:
        """The maximum number of epochs, and more sweeps than there are trials, which end it."""
        epochs = plan.config.epochs or find_encoder(plan.config.encoder).defaults["epochs"]
        return {"max_epochs": epochs, "hyperband_iterations": plan.trials}


def make_oracle(plan: SearchPlan, fingerprint: str) -> SearchOracle:
    """Creates the oracle of a search's algorithm.

    Args:
        plan: the search.
        fingerprint: SHA-256 of its settings.
    """
    return ALGORITHMS[plan.algorithm].oracle_class()(plan, fingerprint)


def winner(oracle: SearchOracle) -> Trial | None:
    """The trial with the best mean over its finals, or the best trial if there are no finals."""
    ranked = oracle.ranked()
    means = [(mean, trial) for trial in ranked if (mean := mean_final(oracle, trial)) is not None]
    if means:
        return max(means, key=lambda pair: pair[0])[1]
    return ranked[0] if ranked else None


def mean_final(oracle: SearchOracle, trial: Trial) -> float | None:
    """Mean score of a trial's finals; None if there are none, or one of them failed."""
    scores = [final.score for final in oracle.finals(trial)]
    return None if not scores or None in scores else float(np.mean(scores))
