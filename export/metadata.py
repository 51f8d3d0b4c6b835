"""What an exported file says of the run that it came from."""

from typing import Any

from kerasclf.files import read_json
from kerasclf.layout import RunLayout


def describe_run(layout: RunLayout, file_format: str) -> dict[str, Any]:
    """Name, labels, data with their licence, figures and versions of a run.

    Args:
        layout: a finished run.
        file_format: name and number of the format, for programs that read it.
    """
    metrics, findings = read_json(layout.metrics), read_json(layout.doctor)
    return {
        "format": file_format,
        "name": metrics["name"],
        "number": metrics["number"],
        "labels": read_json(layout.labels),
        "ordered": metrics["ordered"],
        "data_sha256": metrics["data_sha256"],
        "source": findings["source"],
        "keras_test_measures": metrics["test"]["measures"],
        "versions": metrics["versions"],
    }
