"""The progress of a search in the terminal: a live table, or a line per trial."""

import time
from typing import Any, Self

from keras_tuner.engine.trial import Trial, TrialStatus
from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kerasclf.console import say
from tuning.leaderboard import read_reason
from tuning.oracles import SearchOracle
from tuning.plan import FINAL_OF, FINAL_SEED, FINALISTS, SearchPlan

ROWS = 12
"""Trials in the table, the newest."""


class ProgressDisplay:
    """Shows trials as they start and end, the best one so far and the remaining time."""

    def __init__(self, plan: SearchPlan, oracle: SearchOracle):
        """Creates a display, which is shown while its context is active."""
        self._plan, self._oracle = plan, oracle
        console = Console(stderr=True, highlight=False, markup=False)
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._start = time.monotonic()
        self._reported = {trial.trial_id for trial in self._ended()}
        self._resumed = len(self._reported)

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.update()
        if self._live:
            self._live.stop()

    def update(self) -> None:
        """Shows what has changed."""
        if self._live:
            self._live.update(Group(self._table(), Text(self._summary())), refresh=True)
            return
        for trial in self._ended():
            if trial.trial_id not in self._reported:
                self._reported.add(trial.trial_id)
                say(
                    f"trial {trial.trial_id}  {self._outcome(trial)}  "
                    f"{describe(self._plan, trial)}  |  {self._summary()}"
                )

    def _ended(self) -> list[Trial]:
        trials = list(self._oracle.trials.values())
        return [trial for trial in trials if trial.status != TrialStatus.RUNNING]

    def _outcome(self, trial: Trial) -> str:
        if trial.status == TrialStatus.RUNNING:
            return "running"
        if trial.score is None:
            return f"failed: {read_reason(self._plan, trial)}"
        return f"{self._plan.metric} {trial.score:.4f}"

    def _summary(self) -> str:
        best = next(iter(self._oracle.ranked()), None)
        ended = len(self._ended())
        finals = min(FINALISTS, self._plan.trials) * self._plan.final_seeds
        total = self._plan.trials + finals
        parts = [f"{ended} of {total}"]
        if best is not None:
            parts.append(f"best {best.score:.4f} (trial {best.trial_id})")
        if ended > self._resumed:
            seconds = (time.monotonic() - self._start) / (ended - self._resumed)
            left = round(seconds * (total - ended))
            parts.append(f"about {left // 60}:{left % 60:02d} left")
        return ", ".join(parts)

    def _table(self) -> Table:
        table = Table("trial", "values", "outcome", title=str(self._plan.folder), box=box.SIMPLE)
        for trial in list(self._oracle.trials.values())[-ROWS:]:
            table.add_row(trial.trial_id, describe(self._plan, trial), self._outcome(trial))
        return table


def describe(plan: SearchPlan, trial: Trial) -> str:
    """A trial's values in words."""
    values: dict[str, Any] = trial.hyperparameters.values
    if FINAL_OF in values:
        return f"trial {values[FINAL_OF]} again with seed {values[FINAL_SEED]}"
    return ", ".join(f"{key} {value}" for key, value in plan.decode(values).items())
