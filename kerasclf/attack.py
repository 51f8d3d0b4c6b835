"""`kerasclf attack`: how far perturbed test rows throw a finished run."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError

SUFFIXES = (".svg", ".html")


@dataclass
class AttackOptions(command.Options):
    """Measure a finished run on its test rows under perturbations: leet, repeated letters, spacing,
    homoglyphs, case, typos and, with a lexicon, slang."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    lexicon: Path | None = None
    """CSV of two columns without a header, slang,formal; formal words then give way to slang."""
    lexicon_encoding: str = "utf-8"
    """Encoding of the lexicon."""
    output: Path | None = None
    """FILE.svg for the plot, or FILE.html for table and plot."""
    seed: int | None = None
    """Seed of the perturbations and of the bootstrap; that of the run if none is given."""


def attack(options: AttackOptions) -> dict[str, Any]:
    """Measures the run that the options name under every attack."""
    import pandas as pd

    from kerasclf.augmentation.pairs import group_pairs, read_pairs
    from kerasclf.files import check_writable, read_json
    from kerasclf.layout import RunLayout

    if options.run is None:
        raise UserError("no run given; expected a folder such as runs/NAME/1")
    if options.lexicon is None and options.lexicon_encoding != AttackOptions.lexicon_encoding:
        raise UserError("--lexicon-encoding needs --lexicon FILE")
    if options.seed is not None and not 0 <= options.seed < 2**31:
        raise UserError(f"--seed is {options.seed}; expected 0 to {2**31 - 1}")
    if options.output:
        if options.output.suffix.lower() not in SUFFIXES:
            raise UserError(f"--output is {options.output}; expected FILE.svg or FILE.html")
        check_writable(options.output)
    layout = RunLayout.open(options.run)
    slang: dict[str, list[str]] = {}
    if options.lexicon:
        pairs = read_pairs(options.lexicon, "--lexicon", options.lexicon_encoding)
        slang = group_pairs((formal, informal) for informal, formal in pairs)
    rows = pd.read_parquet(layout.predictions, filters=[("split", "==", "test")])
    labels = tuple(read_json(layout.labels))
    seed = TrainConfig.from_yaml(layout.config).seed if options.seed is None else options.seed

    with command.quiet_imports():
        from kerasclf.classifier import Classifier
        from kerasclf.evaluation.attacks import make_attacks, measure_attacks

    classifier = Classifier.load(layout.root)
    found = measure_attacks(
        rows["text"].tolist(),
        rows["label"].map(labels.index).to_numpy(dtype="int64"),
        classifier.logits,
        classifier.decision,
        make_attacks(slang),
        seed,
    )
    result = {"run": str(layout.root), "seed": seed, **found}
    if options.output:
        from kerasclf.report.page import write_attacks

        write_attacks(options.output, result)
    return result


def show(result: dict[str, Any]) -> None:
    """Prints the figures for people."""
    from kerasclf.report.summary import print_attacks

    print_attacks(result)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(AttackOptions), attack, show, argv, "kerasclf attack")


if __name__ == "__main__":
    sys.exit(main())
