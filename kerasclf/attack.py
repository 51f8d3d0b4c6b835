"""`kerasclf attack`: how much perturbed test rows degrade a finished run."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError


@dataclass
class AttackOptions(command.Options):
    """Measure a finished run on its test rows under perturbations: leet, repeated letters, spacing,
    homoglyphs, case, typos and, with a lexicon, slang."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    lexicon: Path | None = None
    """CSV with two columns and no header, slang,formal; formal words are replaced by slang."""
    lexicon_encoding: str = "utf-8"
    """Encoding of the lexicon."""
    output: Path | None = None
    """FILE.svg for the plot, or FILE.html for table and plot."""
    seed: int | None = None
    """Seed of the perturbations and of the bootstrap (default: the seed of the run)."""


def attack(options: AttackOptions) -> dict[str, Any]:
    """Measures the run under every attack, and writes the plot or page if a file is given."""
    from kerasclf.augmentation.pairs import group_pairs, read_pairs
    from kerasclf.evaluation.run_attacks import attack_run
    from kerasclf.files import check_page

    if options.lexicon is None and options.lexicon_encoding != AttackOptions.lexicon_encoding:
        raise UserError("--lexicon-encoding needs --lexicon FILE")
    if options.seed is not None and not 0 <= options.seed < 2**31:
        raise UserError(f"--seed is {options.seed}; expected 0 to {2**31 - 1}")
    if options.output:
        check_page(options.output)
    slang: dict[str, list[str]] = {}
    if options.lexicon:
        pairs = read_pairs(options.lexicon, "--lexicon", options.lexicon_encoding)
        slang = group_pairs((formal, informal) for informal, formal in pairs)
    result = attack_run(options.run, slang, options.seed)
    if options.output:
        from kerasclf.report.page import write_attacks

        write_attacks(options.output, result)
    return result


def show(result: dict[str, Any]) -> None:
    """Prints macro-F1 under each attack."""
    from kerasclf.report.terminal import print_attacks

    print_attacks(result)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(AttackOptions), attack, show, argv, "kerasclf attack")


if __name__ == "__main__":
    sys.exit(main())
