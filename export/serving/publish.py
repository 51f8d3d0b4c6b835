"""Publishes runs as versions of a model that TF Serving watches, and manages the versions."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from export.program.golden import GateError
from export.program.output import SAVED_MODELS
from export.serving.server_config import write_server_files
from export.serving.versions import Versions, lock
from kerasclf import console
from kerasclf.client.protos import check_installed
from kerasclf.errors import UserError
from kerasclf.files import load_record
from kerasclf.run.layout import RunLayout


def publish(run: Path | None, to: Path | None = None) -> dict[str, Any]:
    """Publishes a run as the next version of a model.

    Args:
        run: folder of a finished run, or of all runs of a name for the newest.
        to: folder of the model's versions; default: saved_models/NAME.

    Returns:
        "published", the number of the version, and the result of `describe_versions`.

    Raises:
        GateError: the SavedModel did not pass a check, and was not published.
        UserError: an argument is wrong, or a package is not installed; nothing was written.
    """
    layout = RunLayout.open(run)
    versions = _open_versions(to or _default_folder(layout))
    check_installed()
    with console.quiet_imports():
        from export.serving.graph import check_serving_model, write_serving_model
        from export.serving.warmup import write_warmup
        from kerasclf.classifier import KerasClassifier

    classifier = KerasClassifier.load(layout.root)
    with lock(versions.folder.parent):
        number = versions.next_number()
        with versions.writing(number) as folder:
            console.say_status(f"writing version {number} of {versions.folder}")
            write_serving_model(classifier, number, folder)
            console.say_status("comparing the SavedModel with Keras")
            try:
                check_serving_model(folder, classifier)
            except GateError as error:
                raise GateError(
                    f"version {number} of {versions.folder} was not published: {error}"
                ) from error
            write_warmup(folder, versions.name)
            versions.publish(number, _make_record(layout, number))
        write_server_files(versions.folder.parent)
    return {"published": number, **describe_versions(versions)}


def roll_back(run: Path | None = None, to: Path | None = None) -> dict[str, Any]:
    """Hides the newest version of a model from the server.

    Args:
        run: a run with the model's name; needed only without `to`.
        to: folder of the model's versions.

    Returns:
        "withdrawn", the number of the version, and the result of `describe_versions`.

    Raises:
        UserError: there is no such model, or no version to go back to.
    """
    versions = _find_versions(run, to)
    with lock(versions.folder.parent):
        number = versions.withdraw()
        write_server_files(versions.folder.parent)
    return {"withdrawn": number, **describe_versions(versions)}


def list_versions(run: Path | None = None, to: Path | None = None) -> dict[str, Any]:
    """Lists the versions of a model; the arguments are those of `roll_back`.

    Raises:
        UserError: there is no such model.
    """
    return describe_versions(_find_versions(run, to))


def describe_versions(versions: Versions) -> dict[str, Any]:
    """Describes the versions of a model.

    Returns:
        "model", its folder; "labels", the version of each version label; and "versions", a list of
        {"version", "labels", "withdrawn", "run", "published"}.
    """
    hidden, labels = versions.withdrawn(), versions.version_labels()
    rows = []
    for number in sorted(versions.published() + hidden):
        record = versions.record(number)
        rows.append(
            {
                "version": number,
                "labels": [label for label, version in labels.items() if version == number],
                "withdrawn": number in hidden,
                "run": record.get("run"),
                "published": record.get("published"),
            }
        )
    return {"model": str(versions.folder), "labels": labels, "versions": rows}


def _find_versions(run: Path | None, to: Path | None) -> Versions:
    if run is not None:
        layout = RunLayout.open(run)
        to = to or _default_folder(layout)
    if to is None:
        raise UserError(
            "no model given; expected --to saved_models/NAME, or a run such as runs/NAME/1"
        )
    versions = _open_versions(to)
    if not versions.folder.is_dir():
        raise UserError(f"no model {versions.folder}; publish a run first")
    return versions


def _open_versions(folder: Path) -> Versions:
    # The name of "." and ".." is known only from the whole path; a link keeps its own name.
    versions = Versions(Path(os.path.abspath(folder)))
    versions.check()
    return versions


def _default_folder(layout: RunLayout) -> Path:
    return SAVED_MODELS / load_record(layout.metrics)["name"]


def _make_record(layout: RunLayout, number: int) -> dict[str, Any]:
    metrics = load_record(layout.metrics)
    return {
        "version": number,
        "published": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": str(layout.root.resolve()),
        "name": metrics["name"],
        "number": metrics["number"],
        "encoder": metrics["encoder"],
        "labels": list(layout.read_labels()),
        "data_sha256": metrics["data_sha256"],
        "test_measures": metrics["test"]["measures"],
        "versions": metrics["versions"],
    }
