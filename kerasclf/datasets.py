"""`kerasclf datasets`: list the data sets that --dataset accepts."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kerasclf import command


@dataclass
class DatasetsOptions(command.Options):
    """List the data sets that --dataset accepts, with labels, licences and sources."""


def describe(_: DatasetsOptions) -> dict[str, Any]:
    """Describes every registered data set."""
    from kerasclf.data.registry import DATA_SETS

    return {name: data_set.describe() for name, data_set in DATA_SETS.items()}


def show(data_sets: dict[str, Any]) -> None:
    """Prints the list."""
    for name, data_set in data_sets.items():
        print(f"{name}: {data_set['task']}")
        if data_set["labels"]:
            print(f"  labels   {', '.join(data_set['labels'])}")
        for key in ("licence", "citation", "home"):
            print(f"  {key:<8} {data_set[key]}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(DatasetsOptions), describe, show, argv, "kerasclf datasets")


if __name__ == "__main__":
    sys.exit(main())
