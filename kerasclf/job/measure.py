"""The decision from the validation rows, then the figures of the test rows, once."""

from typing import Any

import numpy as np
import pandas as pd

from kerasclf.classifier import KerasClassifier
from kerasclf.console import say, say_status, warn
from kerasclf.data.sources import measured_columns
from kerasclf.decision.rule import fit_decision
from kerasclf.encoders import find_encoder
from kerasclf.evaluation.baseline import predict_baseline
from kerasclf.evaluation.latency import measure_latency
from kerasclf.evaluation.novelty import describe_novelty
from kerasclf.evaluation.predictions import evaluate, prediction_frame
from kerasclf.evaluation.provenance import advise_source
from kerasclf.evaluation.slices import measure_columns
from kerasclf.evaluation.targets import check_targets
from kerasclf.explanation.errors import explain_errors
from kerasclf.explanation.of_keras import find_parts
from kerasclf.job.job import Job
from kerasclf.statistics.bootstrap import compare
from kerasclf.statistics.metrics import confusion_matrix, summarize


def measure(
    job: Job, classifier: KerasClassifier, joined: dict[str, Any] | None = None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Fits the decision on the validation rows, then measures the test rows, once.

    Args:
        job: a prepared job.
        classifier: a trained classifier; receives the decision.
        joined: description of its parts, if it was joined from two.

    Returns:
        The metrics of the classifier for metrics.json, and the frame of predictions.parquet.
    """
    config, labels, ordered = job.config, job.examples.labels, job.examples.ordered
    texts, class_ids = job.texts_and_class_ids("validation")
    with job.phase("decide"):
        say_status("calibrating")
        validation_logits = classifier.logits(texts)
        decision, fitted = fit_decision(
            validation_logits, class_ids, job.costs(), config.review_below, config.seed
        )
        classifier.decision = decision
        decided = decision.decide(validation_logits)
        validation = summarize(confusion_matrix(class_ids, decided, len(labels)), ordered)
        columns = measured_columns(config)
        of_validation = measure_columns(
            job.rows("validation"), columns, class_ids, decided, len(labels), config.seed
        )
    with job.phase("latency"):
        latency = measure_latency(classifier.predict, texts)
    with job.phase("test"):
        test_texts, test_class_ids = job.texts_and_class_ids("test")
        test_logits = classifier.logits(test_texts)
        test = evaluate(
            test_texts, test_class_ids, test_logits, decision, labels, ordered, config.seed
        )
        if find_encoder(config.encoder).reads_bytes:
            # Of a transformer, some hundred predictions would take most of a minute.
            parts = find_parts(classifier, joined)
            explain_errors(test["worst_errors"], classifier.run, parts, labels)
    with job.phase("baseline"):
        say("fitting the TF-IDF baseline")
        # On the original rows, so that runs with and without augmentation have the same baseline.
        baseline = predict_baseline(
            job.texts_and_class_ids("train"), (texts, class_ids), test_texts, config.seed
        )
        baseline_confusion = confusion_matrix(test_class_ids, baseline.predicted, len(labels))
        decided_test = decision.decide(test_logits)
        comparison = compare(
            test_class_ids, decided_test, baseline.predicted, len(labels), config.seed
        )
        test |= measure_columns(
            job.rows("test"),
            columns,
            test_class_ids,
            decided_test,
            len(labels),
            config.seed,
            baseline=baseline.predicted,
            targets=config.target,
        )
        hits = (baseline.predicted == test_class_ids)[baseline.compared]
        advice = advise_source(job.findings.get("sources"), test.get("by_source"))
        if advice:
            warn(advice)
    measured = {name: entry["value"] for name, entry in test["measures"].items()}
    measured |= {f"latency_{name}": value for name, value in latency.items()}
    predictions = pd.concat(
        [
            prediction_frame(split, job.rows(split), logits, decision, labels, columns)
            for split, logits in (("validation", validation_logits), ("test", test_logits))
        ],
        ignore_index=True,
    )
    names = np.array(labels, dtype=object)[baseline.predicted]
    predictions.loc[predictions["split"] == "test", "baseline_label"] = names
    metrics = {
        "test": test,
        "targets": check_targets(config.target, measured),
        "baseline": {
            "name": baseline.name,
            "validation": baseline.validation,
            "measures": {
                name: float(value) for name, value in summarize(baseline_confusion, ordered).items()
            },
            "macro_f1_difference": comparison,
        },
        "novelty": describe_novelty(baseline.similarity, hits),
        "latency": latency,
        **{f"validation_{name}": figures for name, figures in of_validation.items()},
        "validation": {name: float(value) for name, value in validation.items()},
        "decision": {**fitted, "temperature": decision.temperature, "offsets": decision.offsets},
    }
    return metrics, predictions
