"""KerasTuner's tuner for the trials of this project."""

import time

from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial
from keras_tuner.errors import FailedTrialError, FatalError

from kerasclf.job.job import Job
from tuning.oracles import SearchOracle
from tuning.plan import SearchPlan
from tuning.trial import TrialError, run_trial

POLL_SECONDS = 0.2


class TrialTuner(BaseTuner):
    """Runs the trials that the chief's oracle proposes."""

    def __init__(self, oracle: SearchOracle, plan: SearchPlan, job: Job):
        """Creates a tuner.

        Args:
            oracle: proposes trials; KerasTuner replaces it with a client of the chief's.
            plan: the search.
            job: data, split and configuration of all trials.
        """
        folder = plan.folder
        super().__init__(oracle, directory=str(folder.parent), project_name=folder.name)
        self._plan, self._job = plan, job

    def pre_create_trial(self) -> None:
        """Waits, since KerasTuner asks again at once when there is nothing to do yet."""
        time.sleep(POLL_SECONDS)

    def run_trial(self, trial: Trial) -> dict[str, float]:
        """Runs a trial and returns its metrics.

        Raises:
            FailedTrialError: the trial failed; the search continues.
            FatalError: the machine failed, such as a full disk. KerasTuner would take any other
                error for a result of the trial.
        """
        values = trial.hyperparameters.values
        try:
            return run_trial(self._plan, self._job, trial.trial_id, values, self.tuner_id)
        except TrialError as error:
            raise FailedTrialError(str(error)) from error
        except Exception as error:
            raise FatalError(str(error)) from error

    def save(self) -> None:
        """Does nothing: the oracle saves itself whenever a trial begins or ends."""
