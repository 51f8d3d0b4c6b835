"""The rungs of the ladder: smaller and smaller forms of a run, the cheapest to make first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import numpy as np

from export.compressed_run import EPOCHS, LEARNING_RATE
from export.compression.fine_tune import fine_tune
from export.compression.pruning import Pruning
from export.distill import ALPHA, TEMPERATURE
from export.students import SIZES, student_config
from kerasclf.classifier import Classifier
from kerasclf.config import TrainConfig
from kerasclf.decision.rule import fit_decision
from kerasclf.job.prepare import Job, prepare_job
from kerasclf.job.train_rows import calibrated, train_classifier
from kerasclf.layout import RunLayout
from kerasclf.training.distillation import Teaching

RECIPES_BY_ENCODER = {
    True: ("float32", "float16", "dynamic_int8", "full_int8", "int4_embedding"),
    False: ("float32", "float16", "dynamic_int8"),
}
SMALL_RECIPES = ("dynamic_int8", "int4_embedding")
SPARSITIES = (0.5, 0.8)
UNCHANGED = "as trained"


@dataclass(frozen=True)
class Rung:
    """One file to try.

    Attributes:
        network: what was done to the network.
        recipe: how its weights are written.
        make: makes the network's classifier, once, however often it is called.
    """

    network: str
    recipe: str
    make: Callable[[], Classifier]

    @property
    def name(self) -> str:
        """The rung in a table."""
        return f"{self.network}, {self.recipe}"


class Ladder:
    """The rungs that a run has: its recipes, then pruned, then smaller networks.

    A recipe takes seconds, fine-tuning a part of a training, a student a whole one. Pruning makes
    a file smaller only where it is compressed, so it is tried only if that size is bounded.
    """

    def __init__(self, layout: RunLayout, prune: bool):
        """Makes the ladder; networks are made when they are asked for.

        Args:
            layout: a finished run.
            prune: whether pruned networks are of use.
        """
        self._layout, self._prune = layout, prune
        self._base = TrainConfig.from_yaml(layout.config)

    def rungs(self) -> Iterator[Rung]:
        """The rungs from the cheapest to make to the dearest."""
        is_bytes = self._base.encoder == "bytes"
        trained = cache(self._load)
        for recipe in RECIPES_BY_ENCODER[is_bytes]:
            yield Rung(UNCHANGED, recipe, trained)
        if is_bytes and self._prune:
            for share in SPARSITIES:
                pruned = cache(partial(self._prune_to, share))
                for recipe in SMALL_RECIPES:
                    yield Rung(f"{share:.0%} pruned", recipe, pruned)
        parameters = trained().core.count_params()
        # The largest first: it loses least.
        for size in reversed(SIZES):
            student = cache(partial(self._train_student, size))
            if SIZES[size]["buckets"] * SIZES[size]["embedding_dim"] < 0.9 * parameters:
                for recipe in SMALL_RECIPES:
                    yield Rung(f"{size} student", recipe, student)

    @cached_property
    def _job(self) -> Job:
        return prepare_job(replace(self._base, split=self._layout.root))

    def _load(self) -> Classifier:
        return Classifier.load(self._layout.root)

    def _teaching(self) -> Teaching:
        """What the run's own teachers said, or what the run says."""
        if self._layout.teaching.is_file():
            return Teaching.load(self._layout.teaching)
        teacher = calibrated(self._load().logits, self._job)
        said = np.exp(teacher(self._job.texts_and_classes("train")[0]))
        return Teaching(said.astype(np.float32), TEMPERATURE, ALPHA)

    def _prune_to(self, share: float) -> Classifier:
        classifier = self._load()
        config = replace(self._job.config, epochs=EPOCHS, learning_rate=LEARNING_RATE)
        job = replace(self._job, config=config)
        teaching = Teaching.load(self._layout.teaching) if self._layout.teaching.is_file() else None
        fine_tune(classifier.core, classifier.featurizer, job, Pruning(share), teaching)
        return self._decided(classifier)

    def _train_student(self, size: str) -> Classifier:
        seed, root = self._base.seed, self._layout.root
        config = student_config(self._base, size, root, seed, SIZES[size]).resolved()
        job = replace(self._job, config=config)
        rows = job.texts_and_classes("train")
        return self._decided(train_classifier(config, job, rows, self._teaching()))

    def _decided(self, classifier: Classifier) -> Classifier:
        """The classifier with a decision that fits its own logits on validation rows."""
        config, (texts, classes) = self._job.config, self._job.texts_and_classes("validation")
        logits = classifier.logits(texts)
        classifier.decision, _ = fit_decision(
            logits, classes, self._job.costs(), config.review_below, config.seed
        )
        return classifier
