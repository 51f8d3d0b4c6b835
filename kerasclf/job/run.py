"""From a prepared job to a finished run: train, decide, measure, write, and only then rename."""

import platform
import resource
import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import keras
import numpy as np
import pandas as pd

from kerasclf.augmentation.new_rows import describe
from kerasclf.classifier import Classifier
from kerasclf.command import say, warn
from kerasclf.decision.rule import fit_decision
from kerasclf.evaluation.baseline import predict_baseline
from kerasclf.evaluation.bootstrap import compare
from kerasclf.evaluation.evaluate import evaluate, prediction_frame
from kerasclf.evaluation.latency import measure_latency
from kerasclf.evaluation.metrics import confusion_matrix, summarize
from kerasclf.evaluation.targets import check_targets
from kerasclf.files import read_json, replacing, write_json, write_text
from kerasclf.job.hold import hold
from kerasclf.job.prepare import Job
from kerasclf.layout import RunLayout
from kerasclf.models.build import build_model
from kerasclf.models.featurizer import Featurizer
from kerasclf.report.page import write_model_card, write_report
from kerasclf.training.callbacks import write_history
from kerasclf.training.distillation import Teaching
from kerasclf.training.fit import fit
from kerasclf.training.losses import SparseFocalLoss
from kerasclf.training.strategy import check_compiles, choose_strategy, prepare

PACKAGES = ("kerasclf", "tensorflow", "keras", "keras-hub", "numpy", "scikit-learn", "pandas")


@dataclass(frozen=True)
class Trained:
    """A core that was already trained in another way, to be measured and kept as a run.

    Attributes:
        core: model inputs to logits.
        history: rows of HISTORY_COLUMNS; the last one is that of the core.
        compression: how it was made smaller, for metrics.json.
    """

    core: keras.Model
    history: list[dict[str, Any]]
    compression: dict[str, Any]


def run_job(
    job: Job, teaching: Teaching | None = None, trained: Trained | None = None
) -> dict[str, Any]:
    """Runs a job to its end.

    Args:
        job: a prepared job.
        teaching: what a teacher says of the training rows.
        trained: what is left of the training: nothing. Its history has all epochs of the job.

    Returns:
        The content of metrics.json, and the run's folder under "run".

    Raises:
        UserError: the encoder cannot be loaded, or the folder cannot be written.
    """
    if job.layout is not None and job.layout.metrics.is_file():
        # Killed between the last file and the new name: nothing is left to compute.
        metrics = read_json(job.layout.metrics)
        return {"run": str(job.layout.finish().root), **metrics}
    with job.phase("build"):
        prepare(job.config.seed, job.config.mixed_precision)
        strategy = choose_strategy()
        check_compiles(strategy, job.config.jit_compile)
        with strategy.scope():
            featurizer, core = build_model(job.config, len(job.examples.labels))
    layout = job.layout or open_run(job, teaching, trained)
    with hold(layout):
        if layout.teaching.is_file():
            teaching = Teaching.load(layout.teaching)
        for line in job.warnings():
            warn(line)
        sizes = ", ".join(f"{count} {split}" for split, count in _split_sizes(job).items())
        say(f"{layout.root}: {sizes} rows, {core.count_params():,} parameters")
        if job.augmented is not None:
            made = describe(job.augmented)
            dropped = ", ".join(f"{count} {reason}" for reason, count in made["dropped"].items())
            say(f"{made['kept']} new rows to train on ({job.config.augment}); dropped: {dropped}")
        with strategy.scope():
            history = train_core(job, featurizer, core, layout, teaching)
        if job.config.mixed_precision:
            # Weights are float32 throughout; what is measured and kept computes in float32, too.
            prepare(job.config.seed, mixed_precision=False)
            featurizer, core = build_model(job.config, len(job.examples.labels))
        core.load_weights(layout.best_weights)
        classifier = Classifier(featurizer, core, job.examples.labels)
        metrics, predictions = measure(job, classifier)
        metrics["training"] = _describe_training(history, core.count_params())
        if layout.compression.is_file():
            # Its last epoch is kept: only there the network is as small as it was to become.
            metrics["compression"] = read_json(layout.compression)
            metrics["training"] |= _describe_epoch(history[-1])
        with job.phase("write"):
            core.save(layout.model)
            featurizer.save(layout.featurizer)
            classifier.decision.save(layout.decision)
            write_json(layout.labels, list(job.examples.labels))
            with replacing(layout.predictions) as beside:
                predictions.to_parquet(beside, index=False)
        return finish(job, layout, metrics, predictions, history)


def train_core(
    job: Job,
    featurizer: Featurizer,
    core: keras.Model,
    layout: RunLayout,
    teaching: Teaching | None = None,
) -> list[dict[str, Any]]:
    """Trains the core that a job's configuration names, on its training rows.

    Args:
        job: a prepared job; its test rows are not read.
        featurizer: strings to model inputs.
        core: model inputs to logits, made within the distribution strategy.
        layout: where history, backup and best weights go; training goes on from a backup there.
        teaching: what a teacher says of the training rows.

    Returns:
        A dict of HISTORY_COLUMNS for each epoch.
    """
    config = job.config
    texts, classes, sources = job.training_rows()
    history = fit(
        core,
        featurizer,
        (texts, classes),
        job.texts_and_classes("validation"),
        SparseFocalLoss(config.focal_gamma, job.class_weights(), config.label_smoothing),
        config,
        layout,
        None if teaching is None else teaching.repeat(sources),
    )
    # Of all processes that worked on the run.
    job.seconds["train"] = round(sum(row["seconds"] for row in history), 3)
    return history


def open_run(
    job: Job, teaching: Teaching | None = None, trained: Trained | None = None
) -> RunLayout:
    """Claims the folder of a new run, and writes what is known before it is trained."""
    layout = RunLayout.create(job.config.output, job.config.name)
    if teaching is not None:
        teaching.save(layout.teaching)
    if trained is not None:
        trained.core.save_weights(layout.best_weights)
        write_history(layout.history, trained.history)
        write_json(layout.compression, trained.compression)
    write_json(layout.doctor, job.findings)
    with replacing(layout.split) as beside:
        job.split.to_parquet(beside, index=False)
    if job.augmented is not None:
        with replacing(layout.augmented) as beside:
            job.augmented.to_parquet(beside, index=False)
    # The configuration comes last: with it, the run can be resumed.
    write_text(layout.config, job.config.to_yaml())
    return layout


def _split_sizes(job: Job) -> dict[str, int]:
    counts = job.split["split"].value_counts()
    return {split: int(counts[split]) for split in ("train", "validation", "test")}


def measure(job: Job, classifier: Classifier) -> tuple[dict[str, Any], pd.DataFrame]:
    """Fits the decision on validation rows, then reads the test rows, once.

    Returns:
        What metrics.json says of the classifier, which now has the decision, and the frame of
        predictions.parquet.
    """
    config, labels, ordered = job.config, job.examples.labels, job.examples.ordered
    texts, classes = job.texts_and_classes("validation")
    with job.phase("decide"):
        validation_logits = classifier.logits(texts)
        decision, found = fit_decision(
            validation_logits, classes, job.costs(), config.review_below, config.seed
        )
        classifier.decision = decision
        decided = decision.decide(validation_logits)
        validation = summarize(confusion_matrix(classes, decided, len(labels)), ordered)
    with job.phase("latency"):
        latency = measure_latency(classifier.predict, texts)
    with job.phase("test"):
        test_texts, test_classes = job.texts_and_classes("test")
        test_logits = classifier.logits(test_texts)
        test = evaluate(
            test_texts, test_classes, test_logits, decision, labels, ordered, config.seed
        )
    with job.phase("baseline"):
        say("fitting the TF-IDF baseline")
        # On the original rows: what new rows are worth shows against the same baseline as ever.
        baseline = predict_baseline(*job.texts_and_classes("train"), test_texts, config.seed)
        baseline_confusion = confusion_matrix(test_classes, baseline, len(labels))
        comparison = compare(
            test_classes, decision.decide(test_logits), baseline, len(labels), config.seed
        )
    measured = {name: entry["value"] for name, entry in test["measures"].items()}
    measured |= {f"latency_{name}": value for name, value in latency.items()}
    predictions = pd.concat(
        [
            prediction_frame(split, job.rows(split), logits, decision, labels)
            for split, logits in (("validation", validation_logits), ("test", test_logits))
        ],
        ignore_index=True,
    )
    names = np.array(labels, dtype=object)[baseline]
    predictions.loc[predictions["split"] == "test", "baseline_label"] = names
    metrics = {
        "test": test,
        "targets": check_targets(config.target, measured),
        "baseline": {
            "name": "TF-IDF (words 1-2, characters 2-5) + balanced linear SVM",
            "measures": {
                name: float(value) for name, value in summarize(baseline_confusion, ordered).items()
            },
            "macro_f1_difference": comparison,
        },
        "latency": latency,
        "validation": {name: float(value) for name, value in validation.items()},
        "decision": {**found, "temperature": decision.temperature, "offsets": decision.offsets},
    }
    return metrics, predictions


def _describe_training(history: list[dict[str, Any]], parameters: int) -> dict[str, Any]:
    best = max(history, key=lambda row: row["val_macro_f1"])
    return {"parameters": parameters, "epochs": len(history), **_describe_epoch(best)}


def _describe_epoch(row: dict[str, Any]) -> dict[str, Any]:
    return {"best_epoch": row["epoch"], "best_val_macro_f1": row["val_macro_f1"]}


def finish(
    job: Job,
    layout: RunLayout,
    metrics: dict[str, Any],
    predictions: pd.DataFrame,
    history: list[dict[str, Any]],
) -> dict[str, Any]:
    """Writes report, card and metrics, and gives the run its final name."""
    whole = layout.whole
    metrics = {
        "name": job.config.name,
        "number": int(whole.root.name),
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
    with job.phase("report"):
        write_report(layout.report, metrics, predictions, history, job.findings, job.config)
        write_model_card(layout.model_card, metrics, job.findings, job.config)
    metrics["seconds"] = job.seconds
    # Linux counts kibibytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    metrics["peak_memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    metrics["versions"] = {name: version(name) for name in PACKAGES}
    metrics["versions"]["python"] = platform.python_version()
    write_json(layout.metrics, metrics)
    return {"run": str(layout.finish().root), **metrics}
