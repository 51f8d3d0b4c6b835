"""The files of a run, and when a folder counts as a finished run."""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kerasclf.console import shorten
from kerasclf.encoders import ENCODERS, LINEAR
from kerasclf.errors import UserError
from kerasclf.files import as_damage, check_writable, load_record, read_json
from kerasclf.manifest import opened, write_manifest

PARTIAL = ".partial"


@dataclass(frozen=True)
class RunLayout:
    """The files of one run, `OUTPUT/NAME/N/`, or `N.partial/` as long as it is being written."""

    root: Path

    @property
    def model(self) -> Path:
        """Keras 3 model from model inputs to logits."""
        return self.root / "model.keras"

    @property
    def featurizer(self) -> Path:
        """Folder of the featurizer: how strings become model inputs."""
        return self.root / "featurizer"

    @property
    def light(self) -> Path:
        """Float32 .tflite of a run that reads bytes, which predicts without TensorFlow."""
        return self.root / "model.tflite"

    @property
    def labels(self) -> Path:
        """JSON list of label names; the position of a label is its class id."""
        return self.root / "labels.json"

    def read_labels(self) -> tuple[str, ...]:
        """Label names by class id.

        Raises:
            UserError: the file is missing, or does not hold at least two different strings.
        """
        labels = read_json(self.labels)
        if not (
            isinstance(labels, list)
            and len(labels) > 1
            and all(isinstance(label, str) for label in labels)
            and len(set(labels)) == len(labels)
        ):
            raise UserError(
                f"{self.labels} is {shorten(repr(labels), 100)}; expected a list of at least two "
                "different strings"
            )
        return tuple(labels)

    @property
    def decision(self) -> Path:
        """Temperature, offsets or costs, and the review threshold."""
        return self.root / "decision.json"

    @property
    def config(self) -> Path:
        """Every option of the run, usable as `--config`."""
        return self.root / "config.yaml"

    @property
    def split(self) -> Path:
        """Split of each row, reusable with `--split`."""
        return self.root / "split.parquet"

    @property
    def metrics(self) -> Path:
        """Every metric of the run."""
        return self.root / "metrics.json"

    @property
    def predictions(self) -> Path:
        """Logits, probabilities and predicted labels of the validation and test rows."""
        return self.root / "predictions.parquet"

    @property
    def history(self) -> Path:
        """One row per epoch."""
        return self.root / "history.csv"

    @property
    def doctor(self) -> Path:
        """Findings of the doctor about the data."""
        return self.root / "doctor.json"

    @property
    def report(self) -> Path:
        """Report as one self-contained HTML file."""
        return self.root / "report.html"

    @property
    def model_card(self) -> Path:
        """Model card."""
        return self.root / "model_card.md"

    @property
    def soft_labels(self) -> Path:
        """Probabilities of the teachers; only in the run of a student."""
        return self.root / "teaching.npz"

    @property
    def problems(self) -> Path:
        """Dropped rows, conflicting labels and near-duplicates; only if there are some."""
        return self.root / "problems.csv"

    @property
    def left_out(self) -> Path:
        """Rows of given splits that were left out as copies; only if there are some."""
        return self.root / "left_out.csv"

    @property
    def augmented(self) -> Path:
        """New training rows and dropped ones; only in a run with augmentation."""
        return self.root / "augmented.parquet"

    @property
    def compression(self) -> Path:
        """How the network was compressed; only in a pruned, clustered or quantized run."""
        return self.root / "compression.json"

    @property
    def distillation(self) -> Path:
        """How a student was made; only in the run of a student."""
        return self.root / "distillation.json"

    @property
    def ensemble(self) -> Path:
        """Members and weights; only in an ensemble, instead of the model."""
        return self.root / "ensemble.json"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard logs."""
        return self.root / "tensorboard"

    @property
    def backup(self) -> Path:
        """Folder of the backup; only during training."""
        return self.root / "backup"

    @property
    def best_weights(self) -> Path:
        """Weights of the best epoch; only during training."""
        return self.root / "best_weights.npz"

    @property
    def linear(self) -> Path:
        """The linear part: during training, and in a run that has one and keeps `light`."""
        return self.root / "linear.npz"

    @property
    def lock(self) -> Path:
        """Locked by the process that trains the run; only during training."""
        return self.root / ".lock"

    @property
    def has_network(self) -> bool:
        """Whether the model of a finished run has a network, or is a linear part alone."""
        return load_record(self.featurizer / "featurizer.json")["kind"] != ENCODERS["linear"].kind

    @property
    def has_linear(self) -> bool:
        """Whether the model of a finished run has a linear part, or is one."""
        if self.ensemble.is_file():
            return False
        path = self.featurizer / "featurizer.json"
        with as_damage(path):
            settings = load_record(path)
            is_linear = settings["kind"] == ENCODERS["linear"].kind
            return is_linear or LINEAR in settings.get("parts", ())

    @property
    def is_partial(self) -> bool:
        """Whether the run is being written, or was interrupted."""
        return self.root.name.endswith(PARTIAL)

    @property
    def whole(self) -> Self:
        """The layout of a partial run once it is finished."""
        return type(self)(self.root.with_name(self.root.name.removesuffix(PARTIAL)))

    @classmethod
    def create(cls, output: Path, name: str) -> Self:
        """Claims the next number and creates its partial folder.

        Raises:
            UserError: the folder cannot be written.
        """
        folder = output / name
        check_writable(folder / "new")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            while True:
                taken = [_number(path) for path in _numbered(folder)]
                root = folder / f"{max(taken, default=0) + 1}{PARTIAL}"
                # Another process may claim the same number at the same time.
                with contextlib.suppress(FileExistsError):
                    root.mkdir()
                    return cls(root)
        except OSError as error:
            raise UserError(f"cannot write {folder}: {error.strerror}; set --runs") from error

    def finish(self) -> Self:
        """Deletes what only training needed, writes the manifest, and renames the finished run."""
        shutil.rmtree(self.backup, ignore_errors=True)
        # The lock, the best weights, and files that a killed process was writing.
        for path in (self.best_weights, self.linear, self.lock, *self.root.glob(".[0-9]*")):
            path.unlink(missing_ok=True)
        # A trial of a search has no metrics, and no manifest.
        if self.metrics.is_file():
            write_manifest(self.root)
        self.root.rename(self.whole.root)
        return self.whole

    @classmethod
    def open(cls, run: Path | str | None) -> Self:
        """The layout of a finished run, or of the newest one in a folder of runs.

        Raises:
            UserError: no run was given, or it is not finished.
        """
        if run is None:
            raise UserError("no run given; expected a folder such as runs/NAME/1")
        path = Path(run)
        if not path.is_dir():
            partial = path.with_name(path.name + PARTIAL)
            if partial.is_dir():
                raise UserError(f"{path} is not finished; resume it with --resume {partial}")
            raise UserError(f"no run {path}; expected a folder such as runs/NAME/1")
        layout = cls(path)
        if layout.is_partial:
            raise UserError(f"{path} is not finished; resume it with --resume {path}")
        if layout.metrics.is_file() and (layout.model.is_file() or layout.ensemble.is_file()):
            opened.add(path)
            return layout
        numbers = [int(p.name) for p in _numbered(path) if not p.name.endswith(PARTIAL)]
        if not numbers:
            raise UserError(f"{path} is not a run: it has no metrics.json and model.keras")
        return cls.open(path / str(max(numbers)))

    @classmethod
    def open_network(cls, run: Path | str | None) -> Self:
        """The layout of a finished run that has a network of its own.

        Raises:
            UserError: no run was given, it is not finished, or it is an ensemble.
        """
        layout = cls.open(run)
        if layout.ensemble.is_file():
            raise UserError(f"{layout.root} is an ensemble; expected one network, such as a member")
        return layout

    @classmethod
    def all_of(cls, folder: Path) -> list[Self]:
        """All runs of a name, finished or not, ordered by number."""
        return [cls(path) for path in sorted(_numbered(folder), key=_number)]

    @property
    def number(self) -> int:
        """Number of the run."""
        return _number(self.root)

    @classmethod
    def reopen(cls, run: Path) -> Self:
        """The layout of an interrupted run, given with or without `.partial`.

        Raises:
            UserError: there is no such run, or it is finished.
        """
        run = run if run.name else run.absolute()  # "." has no name
        path = run if run.name.endswith(PARTIAL) else run.with_name(run.name + PARTIAL)
        if path.is_dir() and cls(path).config.is_file():
            return cls(path)
        if cls(path).whole.metrics.is_file():
            raise UserError(f"{run} is already finished; there is nothing to resume")
        raise UserError(f"no unfinished run {path}; expected a folder such as runs/NAME/1{PARTIAL}")


def _number(path: Path) -> int:
    return int(path.name.removesuffix(PARTIAL))


def _numbered(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.removesuffix(PARTIAL).isdecimal()]
