"""Options of knowledge distillation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from kerasclf.config import RUNS
from kerasclf.errors import UserError

SIZES: dict[str, dict[str, int]] = {
    "small": {"buckets": 16384, "embedding_dim": 16, "filters": 24},
    "medium": {"buckets": 32768, "embedding_dim": 24, "filters": 32},
}
"""Training options of a student of the bytes encoder, by the value of --student."""


@dataclass
class DistillConfig:
    """How a student is distilled from its teachers."""

    name: str | None = None
    """Name of the student's run; default: the first teacher's name with the suffix -student."""
    baseline: bool = False
    """Use the TF-IDF baseline as one more teacher."""
    weights: tuple[float, ...] = ()
    """One weight per teacher, the baseline's last; default: equal weights."""
    student: str = "medium"
    """small, medium, or a YAML FILE of training options."""
    out_of_fold: int = 0
    """Label the training rows out-of-fold in this many folds, so that no teacher labels a row that
    it was trained on."""
    temperature: float = 2.0
    """Divides the logits of student and teachers before they are compared."""
    alpha: float = 0.7
    """Weight of the teachers in the loss; the labels have the rest."""
    most_unlabelled: int = 20_000
    """Texts of --unlabelled that the teachers label; of more, a random sample."""
    mixtures: int = 0
    """Number of texts to generate by mixing training texts, labelled by the teachers alone."""
    seed: int = 0
    """Seed of the student, and of --teacher."""
    output: Annotated[Path | None, RUNS] = None
    """Folder of all runs; default: that of the first teacher."""

    def check(self, runs: int) -> None:
        """Checks the options.

        Args:
            runs: number of runs that are teachers.

        Raises:
            UserError: an option is wrong.
        """
        if not runs:
            raise UserError("no run given; expected at least one teacher such as runs/NAME/1")
        if self.student not in SIZES and not Path(self.student).is_file():
            sizes = ", ".join(SIZES)
            raise UserError(f"--student is {self.student!r}; expected {sizes} or a YAML file")
        teachers = runs + self.baseline
        if self.weights and (len(self.weights) != teachers or min(self.weights) <= 0):
            weights = " ".join(f"{weight:g}" for weight in self.weights)
            raise UserError(
                f"--weights are {weights}; expected {teachers} positive numbers, one per teacher"
            )
        if self.out_of_fold == 1 or self.out_of_fold < 0:
            raise UserError(f"--out-of-fold is {self.out_of_fold}; expected 0 or at least 2")
        if self.most_unlabelled < 1:
            raise UserError(f"--most-unlabelled is {self.most_unlabelled}; expected at least 1")
        if self.mixtures < 0:
            raise UserError(f"--mixtures is {self.mixtures}; expected 0 or more")
        if self.temperature <= 0 or not 0 <= self.alpha <= 1:
            raise UserError(
                f"--temperature is {self.temperature:g} and --alpha {self.alpha:g}; expected "
                "--temperature above 0, and --alpha 0 to 1"
            )
