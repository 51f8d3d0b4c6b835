"""`kerasclf qat`: a run whose network is robust to int8 quantization."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.compression.config import FineTuneConfig
from kerasclf import command, console


@dataclass
class QatOptions(FineTuneConfig, command.Options):
    """Fine-tune a run with weights and outputs rounded to int8 (quantization-aware training); a
    pruned run stays pruned."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run of --encoder bytes, or of all runs of a name for the newest."""


def qat(options: QatOptions) -> dict[str, Any]:
    """Fine-tunes the given run with quantization-aware training."""
    from export.compression.prepare import prepare_compression
    from kerasclf.run.layout import RunLayout

    layout = RunLayout.open_network(options.run)
    job = prepare_compression(layout, options, "qat")
    # TensorFlow takes seconds to import: only after the data has been checked.
    with console.quiet_imports():
        from export.compression.compressed_run import compress_run
        from export.compression.quantization import QuantizationAwareTraining

    return compress_run(layout, job, QuantizationAwareTraining())


def show(metrics: dict[str, Any]) -> None:
    """Prints the metrics."""
    from export.compression.terminal import print_compressed

    print_compressed(metrics)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(QatOptions), qat, show, argv, "kerasclf qat")


if __name__ == "__main__":
    sys.exit(main())
