"""`kerasclf prune`: a run whose smallest weights are 0."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from export.compressed_run import CompressedRunOptions, make_compressed_run, show
from kerasclf import command
from kerasclf.errors import UserError


@dataclass
class PruneOptions(CompressedRunOptions):
    """Prune a run: the smallest weights of each layer become 0, and the others learn on."""

    sparsity: float = 0.8
    """Share of each layer's weights that are 0 in the end."""
    pattern: str | None = None
    """M:N such as 2:4: of each N weights M are 0, which sparse matrix units want; it sets the
    share of zeros itself."""


def prune(options: PruneOptions) -> dict[str, Any]:
    """Prunes the run that the options name."""
    pattern = _parse_pattern(options.pattern) if options.pattern else None
    if not 0 < options.sparsity < 1:
        raise UserError(f"--sparsity is {options.sparsity}; expected a share between 0 and 1")

    def make_method() -> Any:
        from export.compression.pruning import Pruning

        return Pruning(options.sparsity, pattern)

    share = pattern[0] / pattern[1] if pattern else options.sparsity
    facts = {"method": "pruning", "pattern": options.pattern, "target": share}
    return make_compressed_run(options, "pruned", make_method, facts)


def _parse_pattern(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if not found or not 0 < int(found[1]) < int(found[2]):
        raise UserError(f"--pattern is {text!r}; expected M:N with M less than N, such as 2:4")
    return int(found[1]), int(found[2])


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(PruneOptions), prune, show, argv, "kerasclf prune")


if __name__ == "__main__":
    sys.exit(main())
