"""`kerasclf explain`: which words made a label."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError

STRONG = 1.0
"""Contribution from which on a word is shown in bold: it changes the odds about threefold."""
WEAK = 0.1
"""Contribution below which a word is not colored."""


@dataclass
class ExplainOptions(command.Options):
    """Show which words of a text speak for its label (green) and which against it (red)."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run, or of all runs of a name for the newest."""
    texts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Texts to explain."""
    keras: bool = False
    """Compute with Keras, even if the run keeps a file for LiteRT."""


def explain(options: ExplainOptions) -> dict[str, Any]:
    """Explains the texts."""
    from kerasclf.trained import Classifier

    classifier = Classifier.load(options.run, keras=options.keras)
    if not options.texts:
        raise UserError('found no text; expected kerasclf explain RUN "a text"')
    return {"explanations": [asdict(entry) for entry in classifier.explain(options.texts)]}


def show(result: dict[str, Any]) -> None:
    """Prints the texts with colored words."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for entry in result["explanations"]:
        line = Text(f"{entry['label']}  {entry['probability']:.3f}  ")
        position = 0
        for word in entry["words"]:
            line.append(entry["text"][position : word["start"]])
            line.append(entry["text"][word["start"] : word["end"]], _style(word["contribution"]))
            position = word["end"]
        console.print(line, soft_wrap=True)
        strongest = sorted(entry["words"], key=lambda word: -abs(word["contribution"]))[:5]
        figures = ", ".join(f"{word['text']} {word['contribution']:+.2f}" for word in strongest)
        console.print(Text(f"  {figures}", "dim"), soft_wrap=True)


def _style(contribution: float) -> str:
    if abs(contribution) < WEAK:
        return ""
    color = "green" if contribution > 0 else "red"
    return f"bold {color}" if abs(contribution) >= STRONG else color


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(ExplainOptions), explain, show, argv, "kerasclf explain")


if __name__ == "__main__":
    sys.exit(main())
