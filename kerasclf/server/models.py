"""The models of a server, and the versions of each that it holds."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from kerasclf.console import say, warn
from kerasclf.errors import UserError
from kerasclf.run.layout import RunLayout
from kerasclf.trained import Classifier

VERSIONS = 2
"""Versions of a model that are held: the newest, and the one before it."""
CHECK_SECONDS = 1.0
"""Time between two looks for a new version."""
WARM_UP = "selamat pagi"


class NotFoundError(UserError):
    """There is no such model, version or label."""


@dataclass(frozen=True)
class Version:
    """A loaded version of a model.

    Attributes:
        number: number of the run.
        classifier: the run.
    """

    number: int
    classifier: Classifier

    @classmethod
    def load(cls, layout: RunLayout) -> Self:
        """Loads a run, and labels a text, so that no request waits for what is loaded late.

        Raises:
            UserError: the run is not finished, or damaged.
        """
        classifier = Classifier(layout)
        classifier.run_on([WARM_UP])
        return cls(int(layout.root.name), classifier)

    def predict(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """The outputs of TF Serving's signature for each text."""
        decided, review, probabilities = self.classifier.run_on(texts)
        labels = self.classifier.labels
        return [
            {
                "label": labels[class_id],
                "class_id": class_id,
                # As many digits as a float32 has.
                "probabilities": np.round(row, 7).tolist(),
                "review": flag,
                "version": self.number,
            }
            for class_id, flag, row in zip(
                decided.tolist(), review.tolist(), probabilities, strict=True
            )
        ]


class Model:
    """A model by its name: one run, or the newest two of a folder of runs.

    Attributes:
        name: name of the runs.
    """

    def __init__(self, path: Path):
        """Loads the newest version.

        Args:
            path: `runs/NAME/N`, which stays, or `runs/NAME`, whose new runs are picked up.

        Raises:
            UserError: there is no finished run.
        """
        layout = RunLayout.open(path)
        self.name = layout.root.parent.name
        self._folder = layout.root.parent if layout.root.resolve() != path.resolve() else None
        self._refused: set[int] = set()
        self._versions = {int(layout.root.name): Version.load(layout)}

    def find(self, version: int | None = None, label: str | None = None) -> Version:
        """A version: by its number, by "canary" (newest) or "stable" (the one before), or newest.

        Some clients, as that of OpenVINO Model Server, call the newest version 0.

        Raises:
            NotFoundError: there is none.
        """
        held = self._versions
        numbers = sorted(held)
        if label is not None:
            places = {"canary": -1, "stable": -2 if len(numbers) > 1 else -1}
            if label not in places:
                raise NotFoundError(f"model {self.name!r} has the labels canary and stable")
            return held[numbers[places[label]]]
        if not version:
            return held[numbers[-1]]
        if version not in held:
            raise NotFoundError(
                f"model {self.name!r} has no version {version}; expected one of "
                f"{', '.join(map(str, numbers))}"
            )
        return held[version]

    @property
    def numbers(self) -> list[int]:
        """Numbers of the versions that are held, the newest first."""
        return sorted(self._versions, reverse=True)

    def update(self) -> None:
        """Loads a newer run, if there is one; requests go on with the older one meanwhile."""
        if self._folder is None:
            return
        newest = self.numbers[0]
        found = [
            int(entry.name)
            for entry in self._folder.iterdir()
            if entry.name.isdecimal() and int(entry.name) > newest
        ]
        for number in sorted(set(found) - self._refused, reverse=True):
            try:
                version = Version.load(RunLayout.open(self._folder / str(number)))
            except UserError as error:
                self._refused.add(number)
                warn(f"version {number} of {self.name} was not loaded: {error}")
                continue
            held = {**self._versions, number: version}
            # In one step, since requests read it.
            self._versions = {n: held[n] for n in sorted(held)[-VERSIONS:]}
            say(f"version {number} of {self.name} is served")
            return


class Models:
    """All models of a server."""

    def __init__(self, paths: Iterable[Path]):
        """Loads the models.

        Raises:
            UserError: a run is not finished, or two have the same name.
        """
        self._models: dict[str, Model] = {}
        for path in paths:
            model = Model(path)
            if model.name in self._models:
                raise UserError(f"two models are called {model.name!r}; give each name once")
            self._models[model.name] = model
        self._stopped = threading.Event()

    def __iter__(self):
        return iter(self._models.values())

    def find(self, name: str) -> Model:
        """A model by its name.

        Raises:
            NotFoundError: there is none.
        """
        if name not in self._models:
            raise NotFoundError(
                f"there is no model {name[:100]!r}; expected one of {', '.join(self._models)}"
            )
        return self._models[name]

    def watch(self) -> None:
        """Looks for new versions in a thread, until `stop`."""
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._stopped.wait(CHECK_SECONDS):
            for model in self:
                try:
                    model.update()
                except OSError as error:
                    warn(f"cannot look for new versions of {model.name}: {error}")

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()
