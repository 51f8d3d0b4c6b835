"""Featurizer and core of a finished run, read from its folder."""

from pathlib import Path

import keras
import numpy as np

from kerasclf.encoders import ENCODERS
from kerasclf.errors import UserError
from kerasclf.files import as_damage, load_record
from kerasclf.models.featurizer import SETTINGS, Featurizer
from kerasclf.models.joined import KIND, JoinedFeaturizer


def load_featurizer(folder: Path) -> Featurizer:
    """Loads what `Featurizer.save` wrote.

    Raises:
        UserError: the folder was written by an encoder that is not registered here.
    """
    settings = load_record(folder / SETTINGS)
    kind = settings["kind"]
    if kind == KIND:
        return JoinedFeaturizer(
            {name: load_featurizer(folder / name) for name in settings["parts"]}
        )
    for encoder in ENCODERS.values():
        if encoder.kind == kind:
            return encoder.module().load_featurizer(folder)
    kinds = ", ".join(encoder.kind for encoder in ENCODERS.values())
    raise UserError(f"{folder} has the featurizer {kind!r}; expected one of {kinds}")


def load_model(model: Path, featurizer: Path) -> tuple[Featurizer, keras.Model]:
    """Loads featurizer and core.

    Args:
        model: `model.keras` of a run.
        featurizer: folder of its featurizer.

    Raises:
        UserError: a file is missing or damaged, or a weight is not a finite number.
    """
    # First, since its module registers the classes that a pretrained core is made of.
    with as_damage(featurizer):
        loaded = load_featurizer(featurizer)
    with as_damage(model):
        core = keras.saving.load_model(model, compile=False)
    wrong = [w.path for w in core.weights if not np.isfinite(np.asarray(w)).all()]
    if wrong:
        raise UserError(
            f"{model} has weights that are no finite numbers in {wrong[0]}; train the run again"
        )
    return loaded, core
