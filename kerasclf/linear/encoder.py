"""The linear model without a network, which `--encoder linear` selects."""

from pathlib import Path

from kerasclf.linear import layer  # noqa: F401  registers the class that its core is made of
from kerasclf.linear.featurizer import NgramFeaturizer


def load_featurizer(folder: Path) -> NgramFeaturizer:
    """Loads what `NgramFeaturizer.save` wrote."""
    return NgramFeaturizer.load(folder)
