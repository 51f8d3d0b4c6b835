"""`kerasclf verify`: check that the files of a run are as they were written."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command


@dataclass
class VerifyOptions(command.Options):
    """Check that the files of a finished run are as they were written; exit with 1 if not."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run, or of all runs of a name for the newest."""


def verify(options: VerifyOptions) -> dict[str, Any]:
    """Compares the files with their SHA-256."""
    from kerasclf.manifest import find_changes
    from kerasclf.run.layout import RunLayout

    root = RunLayout.open(options.run).root
    files, changes = find_changes(root)
    return {"run": str(root), "files": files, "changes": changes}


def show(result: dict[str, Any]) -> None:
    """Prints what has changed."""
    for name, change in result["changes"].items():
        print(f"{change}  {name}")
    count = len(result["changes"])
    print(
        f"{result['run']}: {result['files']} files, "
        f"{f'{count} not as they were written' if count else 'all as they were written'}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(VerifyOptions)
    return command.run(
        parser, verify, show, argv, "kerasclf verify", lambda result: not result["changes"]
    )


if __name__ == "__main__":
    sys.exit(main())
