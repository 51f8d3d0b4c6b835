"""`kerasclf label-next`: which unlabelled texts to label first."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError
from kerasclf.table_options import TableOptions


@dataclass
class LabelNextOptions(TableOptions, command.Options):
    """Choose texts to label: uncertain, likely of rare classes, and unlike each other."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run, or of all runs of a name for the newest."""
    unlabelled: Path | None = None
    """Table of texts without labels."""
    output: Path | None = None
    """FILE.csv, which is safe to open in a spreadsheet, or FILE.jsonl; default: label_next.csv."""
    text_column: str = "text"
    """Column of the texts."""
    count: int = 500
    """Number of texts to choose."""
    batch: int = 50
    """Rows of a batch."""
    seed: int = 0
    """Seed of the clusters of similar texts."""


def choose(options: LabelNextOptions) -> dict[str, Any]:
    """Writes the chosen texts."""
    import numpy as np

    from kerasclf.files import load_table
    from kerasclf.reviewing.selection import label_next
    from kerasclf.reviewing.tables import check_list, read_texts, write_list
    from kerasclf.trained import Classifier

    if options.unlabelled is None:
        raise UserError("found no --unlabelled FILE; expected a table of texts without labels")
    for name in ("count", "batch"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name} is {getattr(options, name)}; expected at least 1")
    classifier = Classifier.load(options.run)
    output = options.output or Path("label_next.csv")
    check_list(output)
    texts = read_texts(options.unlabelled, options.text_column, options.reading)
    split = load_table(classifier.layout.split, filters=[("split", "==", "train")])
    counts = split["label"].value_counts().reindex(classifier.labels, fill_value=0).to_numpy()
    chosen = label_next(
        texts,
        classifier.predict_proba(texts),
        classifier.labels,
        np.asarray(counts / counts.sum()),
        options.count,
        options.batch,
        options.seed,
    )
    write_list(output, chosen)
    return {"file": str(output), "texts": len(texts), "chosen": len(chosen)}


def show(result: dict[str, Any]) -> None:
    """Prints how many texts were chosen."""
    print(f"{result['chosen']:,} of {result['texts']:,} texts: {result['file']}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(LabelNextOptions)
    return command.run(parser, choose, show, argv, "kerasclf label-next")


if __name__ == "__main__":
    sys.exit(main())
