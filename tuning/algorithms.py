"""The algorithms that `--algorithm` selects, described without importing KerasTuner.

Adding an algorithm takes a subclass of `tuning.oracles.SearchOracle` and an entry in `ALGORITHMS`.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuning.oracles import SearchOracle


@dataclass(frozen=True)
class Algorithm:
    """What is known of an algorithm before a search starts.

    Attributes:
        oracle: import path of its oracle, as MODULE:CLASS.
        exhaustive: whether it can try all combinations; --trials is then optional.
        chooses_epochs: whether it chooses the epochs of each trial, up to --epochs. The same
            combination with other epochs is another trial.
    """

    oracle: str
    exhaustive: bool = False
    chooses_epochs: bool = False

    def oracle_class(self) -> "type[SearchOracle]":
        """The class of its oracle; importing it imports TensorFlow."""
        module, name = self.oracle.split(":")
        return getattr(import_module(module), name)


ALGORITHMS: dict[str, Algorithm] = {
    "grid": Algorithm("tuning.oracles:GridOracle", exhaustive=True),
    "random": Algorithm("tuning.oracles:RandomOracle"),
    "bayesian": Algorithm("tuning.oracles:BayesianOracle"),
    "hyperband": Algorithm("tuning.oracles:HyperbandOracle", chooses_epochs=True),
}
"""By the value of `--algorithm`."""
