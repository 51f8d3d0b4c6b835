"""`kerasclf datasets`: the data sets that are known by name."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kerasclf import command


@dataclass
class DatasetsOptions(command.Options):
    """List the data sets that are known by name."""


def describe(_: DatasetsOptions) -> dict[str, Any]:
    """Describes every registered data set."""
    from kerasclf.data.registry import BASE_ADDRESS, DATA_SETS

    return {
        name: {
            "task": data_set.task,
            "labels": list(data_set.labels),
            "ordered": data_set.ordered,
            "licence": data_set.licence,
            "citation": data_set.citation,
            "home": data_set.home,
            "files": [
                {"address": f"{BASE_ADDRESS}/{file.path}", "sha256": file.sha256}
                for file in data_set.files
            ],
        }
        for name, data_set in DATA_SETS.items()
    }


def show(data_sets: dict[str, Any]) -> None:
    """Prints the list for people."""
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
