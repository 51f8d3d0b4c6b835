"""From a run to a compressed run: what pruning, clustering and QAT share."""

from typing import Any

from export.compression.fine_tune import Method, fine_tune
from export.compression.twin import sparsity
from kerasclf.classifier import KerasClassifier
from kerasclf.files import load_record
from kerasclf.job.execute import TrainedCore, run_job
from kerasclf.job.job import Job
from kerasclf.job.kept import find_kept
from kerasclf.job.prepare import resume_job
from kerasclf.models.joined import find_part
from kerasclf.run.layout import RunLayout
from kerasclf.training.distillation import SoftLabels


def compress_run(layout: RunLayout, job: Job, method: Method) -> dict[str, Any]:
    """Compresses the network of a run, then measures and saves the result as a run of its own.

    A student keeps learning from its teachers: their soft labels are part of its run.

    Example:

        ```python
        layout = RunLayout.open_network("runs/chat-language")
        job = prepare_compression(layout, FineTuneConfig(epochs=2), "pruned")
        compress_run(layout, job, Pruning(sparsity=0.8))["run"]  # 'runs/chat-language-pruned/1'
        ```

    Args:
        layout: a finished run.
        job: of `prepare_compression` for this run.
        method: how the network is compressed.

    Returns:
        The content of metrics.json, and the folder of the new run under "run".
    """
    made = {**method.describe(), "of": str(layout.root)}
    kept = find_kept(job.config)
    if kept is not None and kept.is_partial and _is_of(kept, made):
        # Interrupted after the fine-tuning: the same command goes on with its measurement.
        return run_job(resume_job(kept.root))
    classifier = KerasClassifier.load(layout.root)
    soft_labels = SoftLabels.load(layout.soft_labels) if layout.soft_labels.is_file() else None
    history = fine_tune(classifier.core, classifier.featurizer, job, method, soft_labels)
    _, network = find_part(classifier.featurizer, classifier.core, "network")
    compression = {**made, "sparsity": sparsity(network)}
    return run_job(job, soft_labels, TrainedCore(network, history, compression))


def _is_of(layout: RunLayout, made: dict[str, Any]) -> bool:
    """Whether a run was compressed in this way, of this run."""
    if not layout.compression.is_file():
        return False
    found = load_record(layout.compression)
    return {name: found.get(name) for name in made} == made
