"""`kerasclf saved_model`: a run as the next version of a model that TF Serving watches."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError


@dataclass
class SavedModelOptions(command.Options):
    """Publish a run as the next version of a model for TF Serving, or manage its versions."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    to: Path | None = None
    """Folder of the model's versions; saved_models/NAME if none is given."""
    list: bool = False
    """List the versions, and publish nothing."""
    rollback: bool = False
    """Hide the newest version from the server, and publish nothing."""


def manage_versions(options: SavedModelOptions) -> dict[str, Any]:
    """Publishes, lists or rolls back, and returns the versions that there are then."""
    from export.server_config import write_server_files
    from export.versions import Versions, lock
    from kerasclf.layout import RunLayout

    if options.list and options.rollback:
        raise UserError("found --list and --rollback, expected one of them")
    layout = None if options.run is None else RunLayout.open_network(options.run)
    if layout is None and not ((options.list or options.rollback) and options.to):
        raise UserError(
            "no run given; expected a folder such as runs/NAME/1, or --to saved_models/NAME with "
            "--list or --rollback"
        )
    versions = Versions(_folder(options, layout))
    versions.check()
    result: dict[str, Any] = {"model": str(versions.folder)}
    if options.list or options.rollback:
        if not versions.folder.is_dir():
            raise UserError(f"no model {versions.folder}; publish a run first")
        if options.rollback:
            with lock(versions.folder.parent):
                result["withdrawn"] = versions.withdraw()
                write_server_files(versions.folder.parent)
    else:
        result["published"] = _publish(layout, versions)
    return result | {"labels": versions.labels(), "versions": _describe(versions)}


def _folder(options: SavedModelOptions, layout: Any) -> Path:
    from kerasclf.files import read_json

    folder = options.to or Path("saved_models") / read_json(layout.metrics)["name"]
    # Of "." and "..", the name is known only in full; a link keeps its own.
    return Path(os.path.abspath(folder))


def _publish(layout: Any, versions: Any) -> int:
    from kerasclf.client.protos import check_installed

    check_installed()
    with command.quiet_imports():
        from export.serving_graph import check_serving_model, write_serving_model
        from export.warmup import write_warmup
        from kerasclf.classifier import Classifier

    from export.server_config import write_server_files
    from export.versions import lock

    classifier = Classifier.load(layout.root)
    with lock(versions.folder.parent):
        number = versions.next_number()
        with versions.writing(number) as folder:
            write_serving_model(classifier, number, folder)
            check_serving_model(folder, classifier)
            write_warmup(folder, versions.name)
            versions.publish(number, _record(layout, number))
        write_server_files(versions.folder.parent)
    return number


def _record(layout: Any, number: int) -> dict[str, Any]:
    from kerasclf.files import read_json

    metrics = read_json(layout.metrics)
    return {
        "version": number,
        "published": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": str(layout.root.resolve()),
        "name": metrics["name"],
        "number": metrics["number"],
        "encoder": metrics["encoder"],
        "labels": read_json(layout.labels),
        "data_sha256": metrics["data_sha256"],
        "test_measures": metrics["test"]["measures"],
        "versions": metrics["versions"],
    }


def _describe(versions: Any) -> list[dict[str, Any]]:
    hidden = versions.withdrawn()
    rows = []
    for number in sorted(versions.published() + hidden):
        record = versions.record(number)
        labels = [label for label, labelled in versions.labels().items() if labelled == number]
        rows.append(
            {
                "version": number,
                "labels": labels,
                "withdrawn": number in hidden,
                "run": record.get("run"),
                "published": record.get("published"),
            }
        )
    return rows


def show(result: dict[str, Any]) -> None:
    """Prints the versions for people."""
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
