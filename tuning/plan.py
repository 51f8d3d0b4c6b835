"""The plan of a search: everything that its processes know before the first trial."""

import hashlib
import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.files import load_record, save_record
from kerasclf.job.job import Job
from tuning.space import Space

FINALISTS = 3
"""Trials that are trained again with other seeds."""
RESULT, WORKER = "result.json", "worker"
"""Files of a trial's folder: its result, and the name of its worker while it is running."""
EPOCHS, FINAL_OF, FINAL_SEED = "tuner/epochs", "final/trial", "final/seed"
"""Values of a trial besides those of the space: Hyperband's epochs, a final's trial and seed."""


@dataclass(frozen=True)
class SearchPlan:
    """The plan of a search.

    Attributes:
        config: training options of all trials; values of None depend on the trial.
        space: training options that differ between trials, and their values.
        algorithm: key of `tuning.algorithms.ALGORITHMS`.
        trials: number of trials, without finals.
        objective: macro_f1 or accuracy, on validation rows.
        final_seeds: how often each finalist is trained again.
        max_size: maximum size of the exported file in bytes.
        max_latency: maximum 95th percentile of the exported file's time per text, in ms.
        folder: OUTPUT/NAME-search.
    """

    config: TrainConfig
    space: Space
    algorithm: str
    trials: int
    objective: str
    final_seeds: int
    max_size: int | None
    max_latency: float | None
    folder: Path

    @property
    def metric(self) -> str:
        """The objective's name in a training history."""
        return f"val_{self.objective}"

    @property
    def limits_export(self) -> bool:
        """Whether size or latency of the exported file is limited."""
        return self.max_size is not None or self.max_latency is not None

    @property
    def state(self) -> Path:
        """The oracle and all trials."""
        return self.folder / "state.json"

    @property
    def leaderboard(self) -> Path:
        """The trials, best first; written when the search has ended."""
        return self.folder / "leaderboard.csv"

    @property
    def trial_folder(self) -> Path:
        """Contains a folder for each trial."""
        return self.folder / "trials"

    @property
    def logs(self) -> Path:
        """Folder of the workers' logs."""
        return self.folder / "logs"

    @property
    def lock(self) -> Path:
        """Held by the chief's process."""
        return self.folder / ".lock"

    @property
    def _settings(self) -> Path:
        return self.folder / "search.json"

    def encode(self, options: dict[str, Any]) -> dict[str, str]:
        """Converts options to KerasTuner's values: JSON, since a choice cannot be a boolean."""
        return {key: json.dumps(value) for key, value in options.items()}

    def decode(self, values: dict[str, Any]) -> dict[str, Any]:
        """Converts a trial's values to training options."""
        decoded = {key: json.loads(values[key]) for key in self.space.choices}
        # JSON has no tuples.
        options = {k: tuple(v) if isinstance(v, list) else v for k, v in decoded.items()}
        if EPOCHS in values:
            options["epochs"] = int(values[EPOCHS])
        return options

    def trial_config(self, values: dict[str, Any]) -> TrainConfig:
        """The resolved configuration of a trial."""
        seed = values.get(FINAL_SEED, self.config.seed)
        return replace(self.config, **self.decode(values), seed=int(seed)).resolved()

    def settings(self, job: Job) -> dict[str, Any]:
        """Everything that the trials depend on, by the name of its option."""
        split = pd.util.hash_pandas_object(job.split["split"], index=False).to_numpy()
        settings = {
            "space": self.space.choices,
            **{key: getattr(self, key) for key in ("algorithm", "trials", "objective")},
            **{key: getattr(self, key) for key in ("final_seeds", "max_size", "max_latency")},
            **{
                key: value
                for key, value in vars(self.config.resolved()).items()
                if not isinstance(value, Path) and key != "target"
            },
            "max_bytes": job.config.max_bytes,
            "data": job.findings["sha256"],
            "split": hashlib.sha256(split.tobytes()).hexdigest(),
        }
        # As it is read back: lists in place of tuples.
        return json.loads(json.dumps(settings))

    def fingerprint(self, job: Job) -> str:
        """SHA-256 of the settings, equal on all machines of a search."""
        settings = self.settings(job)
        # The path of a file may differ between machines, its name may not.
        names = {key: Path(settings[key]).name for key in ("encoder", "class_weights")}
        text = json.dumps({**settings, **names}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def record_settings(self, job: Job) -> None:
        """Writes the settings of a new search, or checks those of the one that is resumed.

        Raises:
            UserError: they differ.
        """
        settings = self.settings(job)
        if not self._settings.is_file():
            save_record(self._settings, settings)
        elif name := self._changed_setting(settings):
            raise UserError(
                f"{self.folder} was started with another --{name.replace('_', '-')}; give the same "
                "options, or another --name"
            )

    def has_ended(self, job: Job) -> bool:
        """Whether the folder, which machines may share, contains this search and it has ended."""
        if not (self.leaderboard.is_file() and self._settings.is_file()):
            return False
        return self._changed_setting(self.settings(job)) is None

    def _changed_setting(self, settings: dict[str, Any]) -> str | None:
        """Name of the first setting that differs from the recorded ones."""
        # An option that did not exist when the search was started had its default.
        defaults = {field.name: field.default for field in fields(TrainConfig)}
        recorded = {**json.loads(json.dumps(defaults, default=str)), **load_record(self._settings)}
        return next((name for name in settings if recorded.get(name) != settings[name]), None)
