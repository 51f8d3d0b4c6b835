"""A search as it was asked for: what all its processes know before the first trial."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.files import read_json, write_json
from kerasclf.job.prepare import Job
from tuning.space import Space

FINALISTS = 3
"""Trials that are trained again with other seeds."""
RESULT, WORKER = "result.json", "worker"
"""Files of a trial's folder: what came out, and while it runs, who runs it."""
EPOCHS, FINAL_OF, FINAL_SEED = "tuner/epochs", "final/trial", "final/seed"
"""Values of a trial besides those of the space: Hyperband's epochs, a final's trial and seed."""


@dataclass(frozen=True)
class Search:
    """A search as it was asked for.

    Attributes:
        config: what all trials share; values of None depend on the trial.
        space: what they differ in.
        algorithm: grid, random, bayesian or hyperband.
        trials: number of trials, finals not counted.
        objective: macro_f1 or accuracy, on validation rows.
        final_seeds: how often each finalist is trained again.
        max_size: largest exported file in bytes.
        max_latency: longest 95th percentile of one text in the exported file, in ms.
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
        """The objective's name in a history."""
        return f"val_{self.objective}"

    @property
    def state(self) -> Path:
        """The oracle and all trials."""
        return self.folder / "state.json"

    @property
    def trial_folder(self) -> Path:
        """Folder of a folder for each trial."""
        return self.folder / "trials"

    @property
    def logs(self) -> Path:
        """Folder of what each worker says."""
        return self.folder / "logs"

    @property
    def lock(self) -> Path:
        """Held by the process that leads the search."""
        return self.folder / ".lock"

    def encode(self, chosen: dict[str, Any]) -> dict[str, str]:
        """Values as KerasTuner keeps them: JSON, since it takes no booleans for a choice."""
        return {key: json.dumps(value) for key, value in chosen.items()}

    def decode(self, values: dict[str, Any]) -> dict[str, Any]:
        """The training options that a trial's values choose."""
        chosen = {key: json.loads(values[key]) for key in self.space.choices}
        if EPOCHS in values:
            chosen["epochs"] = int(values[EPOCHS])
        return chosen

    def trial_config(self, values: dict[str, Any]) -> TrainConfig:
        """The resolved configuration of a trial."""
        seed = values.get(FINAL_SEED, self.config.seed)
        return replace(self.config, **self.decode(values), seed=int(seed)).resolved()

    def settings(self, job: Job) -> dict[str, Any]:
        """Everything that makes a trial what it is, by the name of its option."""
        split = pd.util.hash_pandas_object(job.split["split"], index=False).to_numpy()
        return {
            "space": self.space.choices,
            **{key: getattr(self, key) for key in ("algorithm", "trials", "objective")},
            **{key: getattr(self, key) for key in ("final_seeds", "max_size", "max_latency")},
            **{
                key: list(value) if isinstance(value, tuple) else value
                for key, value in vars(self.config.resolved()).items()
                if not isinstance(value, Path)
            },
            "data": job.findings["sha256"],
            "split": hashlib.sha256(split.tobytes()).hexdigest(),
        }

    def claim(self, settings: dict[str, Any]) -> None:
        """Writes the settings, or checks that the search that is there has the same.

        Raises:
            UserError: it has others.
        """
        path = self.folder / "search.json"
        if not path.is_file():
            write_json(path, settings)
            return
        former, found = read_json(path), json.loads(json.dumps(settings))
        for name in found:
            if former.get(name) != found[name]:
                option = name.replace("_", "-")
                raise UserError(
                    f"{self.folder} was begun with another --{option}; give the same options, or "
                    "another --name"
                )


def identify(settings: dict[str, Any]) -> str:
    """SHA-256 of settings, equal on all machines of a search."""
    # A place may differ between machines, the file there may not.
    places = {key: Path(settings[key]).name for key in ("encoder", "class_weights")}
    text = json.dumps({**settings, **places}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
