"""The one place that knows where a run's files are, and when a folder is a whole run."""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kerasclf.errors import UserError
from kerasclf.files import check_writable

PARTIAL = ".partial"


@dataclass(frozen=True)
class RunLayout:
    """The files of one run, `OUTPUT/NAME/N/`, or `N.partial/` as long as it is being written."""

    root: Path

    @property
    def model(self) -> Path:
        """Keras 3 model of model inputs to logits."""
        return self.root / "model.keras"

    @property
    def featurizer(self) -> Path:
        """Folder: how strings become model inputs."""
        return self.root / "featurizer"

    @property
    def labels(self) -> Path:
        """JSON list of label names; a label's place is its class id."""
        return self.root / "labels.json"

    @property
    def decision(self) -> Path:
        """Temperature, offsets or costs, review band."""
        return self.root / "decision.json"

    @property
    def config(self) -> Path:
        """Every choice of the run, usable as `--config`."""
        return self.root / "config.yaml"

    @property
    def split(self) -> Path:
        """Split of each row, usable again by `--split`."""
        return self.root / "split.parquet"

    @property
    def metrics(self) -> Path:
        """Everything that was measured."""
        return self.root / "metrics.json"

    @property
    def predictions(self) -> Path:
        """Logits, probabilities and labels of the validation and test rows."""
        return self.root / "predictions.parquet"

    @property
    def history(self) -> Path:
        """A row an epoch."""
        return self.root / "history.csv"

    @property
    def doctor(self) -> Path:
        """Findings about the data."""
        return self.root / "doctor.json"

    @property
    def report(self) -> Path:
        """The report, one self-contained HTML file."""
        return self.root / "report.html"

    @property
    def model_card(self) -> Path:
        """The model card."""
        return self.root / "model_card.md"

    @property
    def teaching(self) -> Path:
        """What a teacher said of the training rows; only in a student's run."""
        return self.root / "teaching.npz"

    @property
    def augmented(self) -> Path:
        """New training rows and those that were dropped; only in a run that was augmented."""
        return self.root / "augmented.parquet"

    @property
    def compression(self) -> Path:
        """How the weights were made fewer or coarser; only in a compressed run."""
        return self.root / "compression.json"

    @property
    def ensemble(self) -> Path:
        """Which runs vote, and with what weights; only in an ensemble, in place of the model."""
        return self.root / "ensemble.json"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard logs."""
        return self.root / "tensorboard"

    @property
    def backup(self) -> Path:
        """Folder of the backup, only while training."""
        return self.root / "backup"

    @property
    def best_weights(self) -> Path:
        """Weights of the best epoch, only while training."""
        return self.root / "best.weights.h5"

    @property
    def lock(self) -> Path:
        """Held by the process that trains the run, only while training."""
        return self.root / ".lock"

    @property
    def is_partial(self) -> bool:
        """Whether the run is still being written, or was cut off."""
        return self.root.name.endswith(PARTIAL)

    @property
    def whole(self) -> Self:
        """The layout that a partial run gets when it is finished."""
        return type(self)(self.root.with_name(self.root.name.removesuffix(PARTIAL)))

    @classmethod
    def create(cls, output: Path, name: str) -> Self:
        """Claims the next number and makes its partial folder.

        Raises:
            UserError: the place cannot be written.
        """
        folder = output / name
        check_writable(folder / "new")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            while True:
                taken = [_number(path) for path in _numbered(folder)]
                root = folder / f"{max(taken, default=0) + 1}{PARTIAL}"
                # Another job may claim the same number at the same time.
                with contextlib.suppress(FileExistsError):
                    root.mkdir()
                    return cls(root)
        except OSError as error:
            raise UserError(f"cannot write {folder}: {error.strerror}; set --output") from error

    def finish(self) -> Self:
        """Removes what only training needed, and renames the run, by which it counts as whole."""
        shutil.rmtree(self.backup, ignore_errors=True)
        # The lock, the best weights, and what a kill left of a file that was being written.
        for path in (self.best_weights, self.lock, *self.root.glob(".[0-9]*")):
            path.unlink(missing_ok=True)
        self.root.rename(self.whole.root)
        return self.whole

    @classmethod
    def open(cls, run: Path | str) -> Self:
        """The layout of a finished run, or of the newest one in a folder of runs.

        Raises:
            UserError: there is no finished run.
        """
        path = Path(run)
        if not path.is_dir():
            partial = path.with_name(path.name + PARTIAL)
            if partial.is_dir():
                raise UserError(f"{path} is not finished; go on with --resume {partial}")
            raise UserError(f"no run {path}; expected a folder such as runs/NAME/1")
        layout = cls(path)
        if layout.is_partial:
            raise UserError(f"{path} is not finished; go on with --resume {path}")
        if layout.metrics.is_file() and (layout.model.is_file() or layout.ensemble.is_file()):
            return layout
        numbers = [int(p.name) for p in _numbered(path) if not p.name.endswith(PARTIAL)]
        if not numbers:
            raise UserError(f"{path} is no run: it has no metrics.json and model.keras")
        return cls.open(path / str(max(numbers)))

    @classmethod
    def open_network(cls, run: Path | str) -> Self:
        """The layout of a finished run that has a network of its own.

        Raises:
            UserError: there is no finished run, or it is an ensemble.
        """
        layout = cls.open(run)
        if layout.ensemble.is_file():
            raise UserError(f"{layout.root} is an ensemble; expected one network, such as a member")
        return layout

    @classmethod
    def all_of(cls, folder: Path) -> list[Self]:
        """The runs of a name, finished or not, by number."""
        return [cls(path) for path in sorted(_numbered(folder), key=_number)]

    @property
    def number(self) -> int:
        """The run's number."""
        return _number(self.root)

    @classmethod
    def reopen(cls, run: Path) -> Self:
        """The layout of a run that was cut off, by its number with or without `.partial`.

        Raises:
            UserError: there is no such run, or it is finished.
        """
        path = run if run.name.endswith(PARTIAL) else run.with_name(run.name + PARTIAL)
        if path.is_dir() and cls(path).config.is_file():
            return cls(path)
        if cls(path).whole.root.is_dir():
            raise UserError(f"{run} is finished; nothing is left to resume")
        raise UserError(f"no unfinished run {path}; expected a folder such as runs/NAME/1{PARTIAL}")


def _number(path: Path) -> int:
    return int(path.name.removesuffix(PARTIAL))


def _numbered(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.removesuffix(PARTIAL).isdecimal()]
