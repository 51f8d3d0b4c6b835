"""`kerasclf edge`: a folder for a device, which needs no TensorFlow."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.litert.recipes import DEFAULT_RECIPE
from kerasclf import command


@dataclass
class EdgeOptions(command.Options):
    """Make a folder that classifies on a device without TensorFlow."""

    source: Annotated[
        Path | None,
        tyro.conf.Positional,
        tyro.conf.arg(
            help=f"A .tflite of `kerasclf tflite`, or a run, which is exported as {DEFAULT_RECIPE}."
        ),
    ] = None
    output: Path | None = None
    """Folder to create; must not exist."""


def make_folder(options: EdgeOptions) -> dict[str, Any]:
    """Makes the folder."""
    from export.device.edge_folder import make_edge_folder

    return make_edge_folder(options.source, options.output)


def show(result: dict[str, Any]) -> None:
    """Prints the folder and the result of its self-test."""
    print(f"{result['folder']}: self-test passed on {result['golden_texts']} texts")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(EdgeOptions), make_folder, show, argv, "kerasclf edge")


if __name__ == "__main__":
    sys.exit(main())
