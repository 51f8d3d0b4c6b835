"""What a trial's model costs as an exported file."""

import tempfile
from pathlib import Path

from export.measure import measure
from export.prove import make_file
from kerasclf.classifier import Classifier
from kerasclf.evaluation.evaluate import prediction_frame
from kerasclf.files import write_json
from kerasclf.job.prepare import Job
from kerasclf.layout import RunLayout

RECIPE = "dynamic_int8"
"""The recipe that `kerasclf tflite` takes by default."""


def measure_file(classifier: Classifier, job: Job) -> dict[str, float]:
    """Exports a classifier and measures the file on one thread.

    Args:
        classifier: a trained one of the bytes encoder.
        job: the trial's; its test rows are not read.

    Returns:
        "bytes", and "p95_ms": 95th percentile of one text's time in milliseconds.

    Raises:
        GateError: the file does not compute what the classifier does.
    """
    texts, _ = job.texts_and_classes("validation")
    with tempfile.TemporaryDirectory() as folder:
        layout = RunLayout(Path(folder))
        _write_run(classifier, job, layout)
        # How much a file may lose is decided when the winner is exported.
        content, _ = make_file(layout, RECIPE, max_drop=1.0)
        path = layout.root / "model.tflite"
        path.write_bytes(content)
        found = measure(path, 1, [{"text": text} for text in texts])
    return {"bytes": found["bytes"], "p95_ms": found["p95_ms"]}


def _write_run(classifier: Classifier, job: Job, layout: RunLayout) -> None:
    """Writes what an export reads of a run; nothing was measured on test rows."""
    classifier.core.save(layout.model)
    classifier.featurizer.save(layout.featurizer)
    classifier.decision.save(layout.decision)
    write_json(layout.labels, list(classifier.labels))
    write_json(layout.doctor, job.findings)
    texts, _ = job.texts_and_classes("validation")
    logits = classifier.logits(texts)
    rows = job.rows("validation")
    frame = prediction_frame("validation", rows, logits, classifier.decision, classifier.labels)
    frame.to_parquet(layout.predictions, index=False)
    facts = {"name": job.config.name, "number": 0, "ordered": job.examples.ordered}
    facts |= {"data_sha256": job.findings["sha256"], "test": {"measures": {}}, "versions": {}}
    write_json(layout.metrics, facts)
