"""Size and latency of a trial's model as an exported file."""

import tempfile
from pathlib import Path

from export.litert.make import make_file
from export.litert.measure import measure
from kerasclf.classifier import KerasClassifier
from kerasclf.evaluation.predictions import prediction_frame
from kerasclf.files import write_json
from kerasclf.job.job import Job
from kerasclf.run.layout import RunLayout

RECIPE = "dynamic_int8"
"""The default recipe of `kerasclf tflite`."""


def measure_file(classifier: KerasClassifier, job: Job) -> dict[str, float]:
    """Exports a classifier and measures the file on one thread.

    Args:
        classifier: a trained classifier whose encoder reads bytes.
        job: the trial's job; its test rows are not read.

    Returns:
        "bytes", and "p95_ms": 95th percentile of the time per text in milliseconds.

    Raises:
        GateError: the file's predictions differ from the classifier's.
    """
    texts, _ = job.texts_and_class_ids("validation")
    with tempfile.TemporaryDirectory() as folder:
        layout = RunLayout(Path(folder))
        _write_run(classifier, job, layout)
        # The accuracy that a file may lose is checked when the winner is exported.
        content, _ = make_file(layout, RECIPE, max_drop=1.0)
        path = layout.root / "model.tflite"
        path.write_bytes(content)
        measured = measure(path, 1, [{"text": text} for text in texts])
    return {"bytes": measured["bytes"], "p95_ms": measured["p95_ms"]}


def _write_run(classifier: KerasClassifier, job: Job, layout: RunLayout) -> None:
    """Writes the files of a run that an export reads; there are no metrics of test rows."""
    classifier.core.save(layout.model)
    classifier.featurizer.save(layout.featurizer)
    classifier.decision.save(layout.decision)
    write_json(layout.labels, list(classifier.labels))
    write_json(layout.doctor, job.findings)
    texts, _ = job.texts_and_class_ids("validation")
    logits = classifier.logits(texts)
    rows = job.rows("validation")
    frame = prediction_frame("validation", rows, logits, classifier.decision, classifier.labels)
    frame.to_parquet(layout.predictions, index=False)
    facts = {"name": job.config.name, "number": 0, "ordered": job.examples.ordered}
    facts |= {"data_sha256": job.findings["sha256"], "test": {"measures": {}}, "versions": {}}
    write_json(layout.metrics, facts)
