"""The metadata that an exported file carries about its run."""

from typing import Any

from kerasclf.files import load_record
from kerasclf.run.layout import RunLayout


def describe_run(layout: RunLayout, file_format: str) -> dict[str, Any]:
    """Collects name, labels, data with their licence, test metrics and versions of a run.

    Args:
        layout: a finished run.
        file_format: name and number of the format, for programs that read it.
    """
    metrics, findings = load_record(layout.metrics), load_record(layout.doctor)
    return {
        "format": file_format,
        "name": metrics["name"],
        "number": metrics["number"],
        "labels": list(layout.read_labels()),
        "ordered": metrics["ordered"],
        "data_sha256": metrics["data_sha256"],
        "source": findings["source"],
        "keras_test_measures": metrics["test"]["measures"],
        "versions": metrics["versions"],
    }
