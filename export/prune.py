"""`kerasclf prune`: a run with most weights set to 0."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.compression.config import FineTuneConfig
from kerasclf import command, console
from kerasclf.errors import UserError


@dataclass
class PruneOptions(FineTuneConfig, command.Options):
    """Fine-tune a run while its smallest weights are set to 0 (magnitude pruning)."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run of --encoder bytes, or of all runs of a name for the newest."""
    sparsity: float = 0.8
    """Final share of zero weights in each layer."""
    pattern: str | None = None
    """M:N such as 2:4: M of every N weights are 0, as sparse matrix units require; replaces
    --sparsity."""


def prune(options: PruneOptions) -> dict[str, Any]:
    """Prunes the given run."""
    from export.compression.prepare import prepare_compression
    from kerasclf.run.layout import RunLayout

    pattern = _parse_pattern(options.pattern) if options.pattern else None
    if not 0 < options.sparsity < 1:
        raise UserError(f"--sparsity is {options.sparsity}; expected a share between 0 and 1")
    layout = RunLayout.open_network(options.run)
    job = prepare_compression(layout, options, "pruned")
    # TensorFlow takes seconds to import: only after the data has been checked.
    with console.quiet_imports():
        from export.compression.compressed_run import compress_run
        from export.compression.pruning import Pruning

    return compress_run(layout, job, Pruning(options.sparsity, pattern))


def _parse_pattern(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+):(\d+)", text)
    if not match or not 0 < int(match[1]) < int(match[2]):
        raise UserError(f"--pattern is {text!r}; expected M:N with M less than N, such as 2:4")
    return int(match[1]), int(match[2])


def show(metrics: dict[str, Any]) -> None:
    """Prints the metrics."""
    from export.compression.terminal import print_compressed

    print_compressed(metrics)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(PruneOptions), prune, show, argv, "kerasclf prune")


if __name__ == "__main__":
    sys.exit(main())
