"""`kerasclf qat`: a run that has learned with the rounding of int8."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from export.compressed_run import CompressedRunOptions, make_compressed_run, show
from kerasclf import command


@dataclass
class QatOptions(CompressedRunOptions):
    """Train a run on with weights and outputs rounded to int8; zeros of a pruned run stay."""


def train_rounded(options: QatOptions) -> dict[str, Any]:
    """Trains the run that the options name on, with rounding."""

    def make_method() -> Any:
        from export.compression.quantization import QuantizationAwareTraining

        return QuantizationAwareTraining()

    facts = {"method": "quantization-aware training"}
    return make_compressed_run(options, "qat", make_method, facts)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(QatOptions), train_rounded, show, argv, "kerasclf qat")


if __name__ == "__main__":
    sys.exit(main())
