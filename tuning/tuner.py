"""The project's trial as KerasTuner calls it, in the chief's process and in the workers'."""

import time

from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial
from keras_tuner.errors import FailedTrialError

from kerasclf.job.prepare import Job
from tuning.oracles import SearchOracle
from tuning.plan import Search
from tuning.trial import TrialError, run_trial

POLL_SECONDS = 0.2


class TrialTuner(BaseTuner):
    """Runs trials for an oracle, or as the chief serves the oracle to others."""

    def __init__(self, oracle: SearchOracle, search: Search, job: Job):
        """Makes a tuner of a search and its job."""
        folder = search.folder
        super().__init__(oracle, directory=str(folder.parent), project_name=folder.name)
        self._search, self._job = search, job

    def pre_create_trial(self) -> None:
        """Waits, since the chief may answer at once that there is nothing to do yet."""
        time.sleep(POLL_SECONDS)

    def run_trial(self, trial: Trial) -> dict[str, float]:
        """Runs a trial and returns its figures.

        Raises:
            FailedTrialError: the trial failed; the search goes on.
        """
        values = trial.hyperparameters.values
        try:
            return run_trial(self._search, self._job, trial.trial_id, values, self.tuner_id)
        except TrialError as error:
            raise FailedTrialError(str(error)) from error

    def save(self) -> None:
        """Nothing: the oracle saves itself whenever a trial begins or ends."""
