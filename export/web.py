"""`kerasclf web`: a static page that classifies as one types, wholly in the browser."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command


@dataclass
class WebOptions(command.Options):
    """Make a static page that classifies as one types, wholly in the browser."""

    source: Annotated[Path | None, tyro.conf.Positional] = None
    """A .tflite of `kerasclf tflite`, or a run, which is exported by dynamic_int8."""
    output: Path | None = None
    """Folder to make; must not exist."""


def make_page(options: WebOptions) -> dict[str, Any]:
    """Makes the page's folder, whole or not at all."""
    import shutil

    from export import folder, litert_js
    from kerasclf.files import write_json

    folder.check(options.source, options.output)
    # Before the export of a run, which takes longer than it takes to see that npm is missing.
    litert = litert_js.fetch()
    with folder.making(options.source, options.output) as (made, classifier):
        shutil.copytree(Path(__file__).parent / "templates" / "web", made, dirs_exist_ok=True)
        shutil.copytree(litert, made / "litert")
        write_json(made / "metadata.json", classifier.metadata)
        size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    return {"folder": str(options.output), "bytes": size}


def show(result: dict[str, Any]) -> None:
    """Prints the outcome for people."""
    print(
        f"{result['folder']}: {result['bytes'] / 1e6:.1f} MB; see it with "
        f"`python3 -m http.server --directory {result['folder']}`"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(WebOptions), make_page, show, argv, "kerasclf web")


if __name__ == "__main__":
    sys.exit(main())
