"""From a prepared job to a finished run: train, calibrate, measure, write, and then rename."""

import platform
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from kerasclf.augmentation.new_rows import describe
from kerasclf.classifier import KerasClassifier
from kerasclf.console import say, say_status, warn
from kerasclf.data.problems import list_problems
from kerasclf.data.sources import AUGMENTED, UNKNOWN
from kerasclf.encoders import find_encoder
from kerasclf.extras import find_versions
from kerasclf.files import load_record, replacing, save_record, save_table, write_json, write_text
from kerasclf.job.job import Job
from kerasclf.job.measure import measure
from kerasclf.job.parts import combine, fit_linear_part
from kerasclf.linear.model import LinearModel
from kerasclf.memory import peak_memory
from kerasclf.models.featurizer import Featurizer
from kerasclf.report.draw import try_to_draw
from kerasclf.run.history import Epoch, write_history
from kerasclf.run.hold import hold, lock, remove_unbegun
from kerasclf.run.layout import RunLayout
from kerasclf.training.distillation import SoftLabels
from kerasclf.training.fit import fit
from kerasclf.training.losses import make_loss
from kerasclf.training.network import build_network, load_best
from kerasclf.training.objective import make_objective
from kerasclf.training.weights import save_weights

PACKAGES = ("kerasclf", "tensorflow", "keras", "keras-hub", "numpy", "scikit-learn", "pandas")


@dataclass(frozen=True)
class TrainedCore:
    """A core that was already trained in another way, to be measured and saved as a run.

    Attributes:
        core: model inputs to logits.
        history: all epochs of the job; the last one produced the core's weights.
        compression: how the core was compressed, for metrics.json.
    """

    core: keras.Model
    history: list[Epoch]
    compression: dict[str, Any]


def run_job(
    job: Job,
    soft_labels: SoftLabels | None = None,
    trained: TrainedCore | None = None,
    distillation: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Trains, calibrates, measures and saves a prepared job.

    Args:
        job: a prepared job.
        soft_labels: probabilities of teachers for the training rows.
        trained: a core to measure and save without training.
        distillation: how the soft labels were made, for metrics.json.

    Returns:
        The content of metrics.json, and the folder of the run under "run".

    Raises:
        UserError: the encoder cannot be loaded, or the folder cannot be written.
    """
    if job.layout is not None and job.layout.metrics.is_file():
        # Killed between writing the last file and renaming: nothing is left to compute.
        metrics = load_record(job.layout.metrics)
        finished = job.layout.finish()
        try_to_draw(finished)
        return {"run": str(finished.root), **metrics}
    labels = job.examples.labels
    with job.phase("build"):
        # Before anything is written: the loss and the encoder may not exist.
        built = build_network(job.config, len(labels)) if job.config.has_network else None
        loss = make_loss(job.config, job.class_weights()) if built else None
    layout = job.layout or open_run(job, soft_labels, trained, distillation)
    with hold(layout):
        if layout.soft_labels.is_file():
            soft_labels = SoftLabels.load(layout.soft_labels)
        _announce(job, layout, built[2].count_params() if built else None)
        linear = train_linear_part(job, layout.linear, soft_labels)
        network: KerasClassifier | None = None
        history: list[Epoch] = []
        if built and loss:
            strategy, featurizer, core = built
            with strategy.scope():
                history = train_core(job, featurizer, core, loss, layout, soft_labels)
            network = KerasClassifier(*load_best(job.config, layout, featurizer, core), labels)
        with job.phase("join"):
            classifier, parts = combine(
                network, linear, labels, *job.texts_and_class_ids("validation"), job.config.seed
            )
        metrics, predictions = measure(job, classifier, parts)
        metrics["training"] = _describe_training(history, classifier.core.count_params())
        if parts:
            metrics["parts"] = parts
        if layout.distillation.is_file():
            metrics["distillation"] = load_record(layout.distillation)
        if layout.compression.is_file():
            # Only the last epoch has the requested sparsity, clusters or rounding.
            metrics["compression"] = load_record(layout.compression)
            metrics["training"] |= _describe_epoch(history[-1])
        with job.phase("write"):
            with replacing(layout.model) as beside:
                classifier.core.save(beside)
            classifier.featurizer.save(layout.featurizer)
            classifier.decision.save(layout.decision)
            write_json(layout.labels, list(job.examples.labels))
            save_table(layout.predictions, predictions)
        return finish(job, layout, metrics)


def _announce(job: Job, layout: RunLayout, parameters: int | None) -> None:
    for line in job.warnings():
        warn(line)
    sizes = ", ".join(f"{count} {split}" for split, count in _split_sizes(job).items())
    size = "no network" if parameters is None else f"{parameters:,} parameters"
    say(f"{layout.root}: {sizes} rows, {size}")
    if find_encoder(job.config.encoder).max_length == "max_bytes":
        cut = job.findings["truncated_texts"] / job.findings["rows_kept"]
        say(f"reading {job.config.max_bytes} bytes of each text; {cut:.1%} of the texts are longer")
    if job.augmented is not None:
        augmentation = describe(job.augmented)
        dropped = ", ".join(
            f"{count} {reason}" for reason, count in augmentation["dropped"].items()
        )
        kept, recipes = augmentation["kept"], job.config.augment
        say(f"{kept} augmented rows to train on ({recipes}); dropped: {dropped}")


def train_linear_part(
    job: Job, path: Path, soft_labels: SoftLabels | None = None
) -> LinearModel | None:
    """Fits the linear part of a job, if it has one, or reads it from where it was kept.

    Args:
        job: a prepared job.
        path: file that keeps it, so that a job that was interrupted goes on with the same bits.
        soft_labels: probabilities of teachers for the training rows.
    """
    if not job.config.has_linear_part:
        return None
    with job.phase("linear"):
        if not path.is_file():
            say("fitting the linear part")
            texts, class_ids, sources = job.training_rows()
            num_classes, weights = len(job.examples.labels), job.training_weights()
            if soft_labels is not None:
                soft_labels = soft_labels.repeat(sources)
            fit_linear_part(job.config, texts, class_ids, num_classes, weights, soft_labels).save(
                path
            )
        return LinearModel.load(path)


def train_core(
    job: Job,
    featurizer: Featurizer,
    core: keras.Model,
    loss: keras.losses.Loss,
    layout: RunLayout,
    soft_labels: SoftLabels | None = None,
) -> list[Epoch]:
    """Trains a core on the training rows of a job.

    Args:
        job: a prepared job; its test rows are not read.
        featurizer: strings to model inputs.
        core: model inputs to logits, built within the distribution strategy.
        loss: loss of class ids and logits.
        layout: receives history, backup and best weights; training resumes from its backup.
        soft_labels: probabilities of teachers for the training rows.

    Returns:
        The history of all epochs.
    """
    say_status("preparing the network")
    texts, class_ids, sources = job.training_rows()
    if soft_labels is not None:
        soft_labels = soft_labels.repeat(sources)
    objective = make_objective(texts, class_ids, loss, soft_labels, job.training_weights())
    validation = job.texts_and_class_ids("validation")
    history = fit(core, featurizer, objective, validation, loss, job.config, layout)
    # The sum over all processes that trained the run.
    job.seconds["train"] = round(sum(row["seconds"] for row in history), 3)
    return history


def open_run(
    job: Job,
    soft_labels: SoftLabels | None = None,
    trained: TrainedCore | None = None,
    distillation: dict[str, Any] | None = None,
) -> RunLayout:
    """Claims the folder of a new run and writes what is known before training.

    Until the last file is written, the run cannot be resumed, and is removed on any error.
    """
    folder = job.config.output / job.config.name
    remove_unbegun(folder)
    layout = RunLayout.create(job.config.output, job.config.name)
    with lock(layout.lock, layout.root, "trained"):
        try:
            _write_known(job, layout, soft_labels, trained, distillation)
        except BaseException:
            shutil.rmtree(layout.root, ignore_errors=True)
            raise
    return layout


def _write_known(
    job: Job,
    layout: RunLayout,
    soft_labels: SoftLabels | None,
    trained: TrainedCore | None,
    distillation: dict[str, Any] | None,
) -> None:
    if soft_labels is not None:
        soft_labels.save(layout.soft_labels)
    if distillation is not None:
        save_record(layout.distillation, distillation)
    if trained is not None:
        save_weights(layout.best_weights, trained.core.weights)
        write_history(layout.history, trained.history)
        save_record(layout.compression, trained.compression)
    save_record(layout.doctor, job.findings)
    save_table(layout.split, job.split)
    lists = {
        layout.left_out: job.left_out(),
        layout.problems: list_problems(job.examples),
    }
    for path, rows in lists.items():
        if len(rows):
            with replacing(path) as beside:
                rows.to_csv(beside, index=False)
    if job.augmented is not None:
        save_table(layout.augmented, job.augmented)
    # The configuration is written last: once it exists, the run can be resumed.
    write_text(layout.config, job.config.to_yaml())


def _count_sources(job: Job) -> dict[str, int]:
    """Rows to learn from by source."""
    counts = Counter(job.rows("train")["source"].replace("", UNKNOWN))
    counts[AUGMENTED] += len(job.training_rows()[2])
    return dict(+counts)


def _split_sizes(job: Job) -> dict[str, int]:
    counts = job.split["split"].value_counts()
    return {split: int(counts[split]) for split in ("train", "validation", "test")}


def _describe_training(history: list[Epoch], parameters: int) -> dict[str, Any]:
    if not history:
        return {"parameters": parameters}
    best = max(history, key=lambda row: row["val_macro_f1"])
    return {"parameters": parameters, "epochs": len(history), **_describe_epoch(best)}


def _describe_epoch(row: Epoch) -> dict[str, Any]:
    return {"best_epoch": row["epoch"], "best_val_macro_f1": row["val_macro_f1"]}


def finish(job: Job, layout: RunLayout, metrics: dict[str, Any]) -> dict[str, Any]:
    """Writes the metrics, renames the run to its final name, and draws report and model card.

    Returns:
        The content of metrics.json, and the folder of the run under "run".
    """
    metrics = {
        "name": job.config.name,
        "number": layout.number,
        "labels": list(job.examples.labels),
        "ordered": job.examples.ordered,
        "encoder": job.config.encoder,
        "rows": _split_sizes(job),
        "data_sha256": job.findings["sha256"],
        **metrics,
    }
    if job.augmented is not None:
        counts = job.rows("train")["label"].value_counts().sort_index()
        metrics["augmentation"] = {
            **describe(job.augmented),
            "train_by_label": {label: int(count) for label, count in counts.items()},
        }
    if job.config.source_column:
        metrics["train_by_source"] = _count_sources(job)
    say_status("drawing the report")
    metrics["seconds"] = job.seconds
    metrics["peak_memory_bytes"] = peak_memory()
    metrics["versions"] = find_versions(PACKAGES)
    metrics["versions"]["python"] = platform.python_version()
    save_record(layout.metrics, metrics)
    finished = layout.finish()
    # A report that cannot be drawn must not cost the run.
    try_to_draw(finished)
    return {"run": str(finished.root), **metrics}
