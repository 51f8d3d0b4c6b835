"""The rungs of the ladder: smaller and smaller exports of a run, the cheapest to make first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import numpy as np

from export.compression.config import FineTuneConfig
from export.compression.fine_tune import fine_tune
from export.compression.pruning import Pruning
from export.distillation.config import SIZES, DistillConfig
from export.distillation.students import student_config
from export.litert.recipes import RECIPES
from kerasclf.classifier import KerasClassifier
from kerasclf.config import TrainConfig
from kerasclf.decision.rule import fit_decision
from kerasclf.encoders import find_encoder
from kerasclf.job.folds import Rows
from kerasclf.job.job import Job
from kerasclf.job.prepare import prepare_job
from kerasclf.job.train_rows import calibrate, train_classifier
from kerasclf.run.layout import RunLayout
from kerasclf.training.distillation import SoftLabels

SMALL_RECIPES = ("dynamic_int8", "int4_embedding")
"""Recipes of pruned networks and students: only the smallest are worth their training."""
SPARSITIES = (0.5, 0.8)
UNCHANGED = "as trained"


@dataclass(frozen=True)
class Rung:
    """A file to try.

    Attributes:
        network: how the network was changed.
        recipe: key in RECIPES.
        make: makes the classifier of the network; every call returns the same one.
    """

    network: str
    recipe: str
    make: Callable[[], KerasClassifier]

    @property
    def name(self) -> str:
        """Name in tables and messages."""
        return f"{self.network}, {self.recipe}"


class Ladder:
    """The rungs of a run: first its own network by all recipes, then pruned, then students.

    A recipe takes seconds, pruning a few epochs of fine-tuning, and a student a whole training.
    """

    def __init__(self, layout: RunLayout, prune: bool):
        """Creates the ladder; a network is made only when its rung is reached.

        Args:
            layout: a finished run.
            prune: whether to try pruned networks.
        """
        self._layout, self._prune = layout, prune
        self._base = TrainConfig.from_yaml(layout.config)

    def rungs(self) -> Iterator[Rung]:
        """Yields the rungs, the cheapest to make first."""
        encoder = find_encoder(self._base.encoder)
        trained = cache(self._load)
        for recipe in RECIPES.values():
            if encoder.reads_bytes or not recipe.only_bytes:
                yield Rung(UNCHANGED, recipe.name, trained)
        if encoder.compressible and self._prune and self._layout.has_network:
            for sparsity in SPARSITIES:
                pruned = cache(partial(self._prune_to, sparsity))
                for recipe_name in SMALL_RECIPES:
                    yield Rung(f"{sparsity:.0%} pruned", recipe_name, pruned)
        parameters = trained().core.count_params()
        # The largest student first: it loses least.
        for size in reversed(SIZES):
            student = cache(partial(self._train_student, size))
            if SIZES[size]["buckets"] * SIZES[size]["embedding_dim"] < 0.9 * parameters:
                for recipe_name in SMALL_RECIPES:
                    yield Rung(f"{size} student", recipe_name, student)

    @cached_property
    def _job(self) -> Job:
        return prepare_job(replace(self._base, split=self._layout.root))

    def _load(self) -> KerasClassifier:
        return KerasClassifier.load(self._layout.root)

    def _teachers_soft_labels(self) -> SoftLabels | None:
        """The soft labels that the run was trained on, if it is a student."""
        path = self._layout.soft_labels
        return SoftLabels.load(path) if path.is_file() else None

    def _own_soft_labels(self) -> SoftLabels:
        """Soft labels with the run itself as the teacher."""
        predict = calibrate(self._load().logits, self._job)
        probabilities = np.exp(predict(self._job.texts_and_class_ids("train")[0]))
        config = DistillConfig()
        return SoftLabels(probabilities.astype(np.float32), config.temperature, config.alpha)

    def _prune_to(self, sparsity: float) -> KerasClassifier:
        classifier, tuning = self._load(), FineTuneConfig()
        config = replace(self._job.config, epochs=tuning.epochs, learning_rate=tuning.learning_rate)
        job = replace(self._job, config=config)
        soft_labels = self._teachers_soft_labels()
        fine_tune(classifier.core, classifier.featurizer, job, Pruning(sparsity), soft_labels)
        return self._with_decision(classifier)

    def _train_student(self, size: str) -> KerasClassifier:
        seed, root = self._base.seed, self._layout.root
        config = student_config(self._base, size, root, seed, SIZES[size]).resolved()
        job = replace(self._job, config=config)
        rows = Rows(*job.texts_and_class_ids("train"), job.weights("train"))
        soft_labels = self._teachers_soft_labels() or self._own_soft_labels()
        return self._with_decision(train_classifier(config, job, rows, soft_labels))

    def _with_decision(self, classifier: KerasClassifier) -> KerasClassifier:
        """The classifier, with a decision fitted to its own logits of the validation rows."""
        config, (texts, class_ids) = self._job.config, self._job.texts_and_class_ids("validation")
        logits = classifier.logits(texts)
        classifier.decision, _ = fit_decision(
            logits, class_ids, self._job.costs(), config.review_below, config.seed
        )
        return classifier
