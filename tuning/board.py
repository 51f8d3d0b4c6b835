"""What a person sees of a search while it runs: a live table, or a line a trial."""

import time
from typing import Any, Self

from keras_tuner.engine.trial import Trial, TrialStatus
from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kerasclf.command import say
from tuning.leaderboard import read_reason
from tuning.oracles import SearchOracle
from tuning.plan import FINAL_OF, FINAL_SEED, FINALISTS, Search

SHOWN = 12
"""Trials in the table, the newest."""


class Board:
    """Shows trials as they begin and end, the best one so far and the time left."""

    def __init__(self, search: Search, oracle: SearchOracle):
        """Makes a board; it is shown as a context manager."""
        self._search, self._oracle = search, oracle
        console = Console(stderr=True, highlight=False, markup=False)
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._start = time.monotonic()
        self._known = {trial.trial_id for trial in self._ended()}
        self._before = len(self._known)

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
            if trial.trial_id not in self._known:
                self._known.add(trial.trial_id)
                say(
                    f"trial {trial.trial_id}  {self._outcome(trial)}  "
                    f"{describe(self._search, trial)}  |  {self._summary()}"
                )

    def _ended(self) -> list[Trial]:
        trials = list(self._oracle.trials.values())
        return [trial for trial in trials if trial.status != TrialStatus.RUNNING]

    def _outcome(self, trial: Trial) -> str:
        if trial.status == TrialStatus.RUNNING:
            return "running"
        if trial.score is None:
            return f"failed: {read_reason(self._search, trial)}"
        return f"{self._search.metric} {trial.score:.4f}"

    def _summary(self) -> str:
        best = next(iter(self._oracle.ranked()), None)
        ended = len(self._ended())
        finals = min(FINALISTS, self._search.trials) * self._search.final_seeds
        total = self._search.trials + finals
        parts = [f"{ended} of {total}"]
        if best is not None:
            parts.append(f"best {best.score:.4f} (trial {best.trial_id})")
        if ended > self._before:
            seconds = (time.monotonic() - self._start) / (ended - self._before)
            left = round(seconds * (total - ended))
            parts.append(f"about {left // 60}:{left % 60:02d} left")
        return ", ".join(parts)

    def _table(self) -> Table:
        table = Table("trial", "values", "outcome", title=str(self._search.folder), box=box.SIMPLE)
        for trial in list(self._oracle.trials.values())[-SHOWN:]:
            table.add_row(trial.trial_id, describe(self._search, trial), self._outcome(trial))
        return table


def describe(search: Search, trial: Trial) -> str:
    """A trial's values in words."""
    values: dict[str, Any] = trial.hyperparameters.values
    if FINAL_OF in values:
        return f"trial {values[FINAL_OF]} again with seed {values[FINAL_SEED]}"
    return ", ".join(f"{key} {value}" for key, value in search.decode(values).items())
