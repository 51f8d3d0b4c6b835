"""`kerasclf saved_model`: a run as the next version of a model that TF Serving watches."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.serving.publish import list_versions, publish, roll_back
from kerasclf import command
from kerasclf.errors import UserError


@dataclass
class SavedModelOptions(command.Options):
    """Publish a run as the next version of a model for TF Serving, or manage its versions."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    to: Path | None = None
    """Folder of the model's versions; default: saved_models/NAME."""
    list: bool = False
    """List the versions, and publish nothing."""
    rollback: bool = False
    """Hide the newest version from the server, and publish nothing."""


def manage_versions(options: SavedModelOptions) -> dict[str, Any]:
    """Publishes, lists or rolls back, and returns the versions of the model afterwards."""
    if options.list and options.rollback:
        raise UserError("found --list and --rollback; expected one of them")
    if options.list:
        return list_versions(options.run, options.to)
    if options.rollback:
        return roll_back(options.run, options.to)
    return publish(options.run, options.to)


def show(result: dict[str, Any]) -> None:
    """Prints the versions."""
    print(result["model"])
    for row in result["versions"]:
        state = "withdrawn" if row["withdrawn"] else ", ".join(row["labels"])
        print(f"  {row['version']:>4}  {state:<14}  {row['published']}  {row['run']}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(SavedModelOptions)
    return command.run(parser, manage_versions, show, argv, "kerasclf saved_model")


if __name__ == "__main__":
    sys.exit(main())
