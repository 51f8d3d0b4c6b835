"""`kerasclf web`: a static page that classifies each text as it is typed, in the browser."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.litert.recipes import DEFAULT_RECIPE
from kerasclf import command


@dataclass
class WebOptions(command.Options):
    """Make a static web page that classifies each text as it is typed, in the browser."""

    source: Annotated[
        Path | None,
        tyro.conf.Positional,
        tyro.conf.arg(
            help=f"A .tflite of `kerasclf tflite`, or a run, which is exported as {DEFAULT_RECIPE}."
        ),
    ] = None
    output: Path | None = None
    """Folder to create; must not exist."""


def make_page(options: WebOptions) -> dict[str, Any]:
    """Makes the page."""
    from export.device.web_page import make_web_page

    return make_web_page(options.source, options.output)


def show(result: dict[str, Any]) -> None:
    """Prints the size of the page and how to open it."""
    print(
        f"{result['folder']}: {result['bytes'] / 1e6:.1f} MB; to open it, run "
        f"`python3 -m http.server --directory {result['folder']}`"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(WebOptions), make_page, show, argv, "kerasclf web")


if __name__ == "__main__":
    sys.exit(main())
