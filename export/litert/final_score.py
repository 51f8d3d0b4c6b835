"""The score of a finished file on test rows."""

from typing import TYPE_CHECKING, Any

import numpy as np

from export.litert.rows import predict_rows, read_rows
from kerasclf.files import load_record
from kerasclf.run.layout import RunLayout
from kerasclf.statistics.bootstrap import compare, measure

if TYPE_CHECKING:
    from kerasclf.edge_runtime import EdgeClassifier


def score_on_test(layout: RunLayout, file: "EdgeClassifier") -> dict[str, Any]:
    """Measures a file on the test rows of its run; call it once, after every choice is made.

    Args:
        layout: a finished run.
        file: a file that was made from it.

    Returns:
        "rows"; "macro_f1" and "accuracy" with their intervals; "run_macro_f1", of the run in Keras;
        and "difference", their paired difference.
    """
    metrics = load_record(layout.metrics)
    rows = read_rows(layout, "test")
    probabilities, predicted = predict_rows(file, rows.texts)
    # A quantized file may return 0, whose logarithm would make every mean infinite.
    log_probabilities = np.log(np.maximum(probabilities, 1e-30, dtype=np.float64))
    seed, num_classes = 0, len(metrics["labels"])
    measures = measure(rows.class_ids, predicted, log_probabilities, metrics["ordered"], seed)
    return {
        "rows": len(rows.texts),
        "macro_f1": measures["macro_f1"],
        "accuracy": measures["accuracy"],
        "run_macro_f1": metrics["test"]["measures"]["macro_f1"]["value"],
        "difference": compare(rows.class_ids, predicted, rows.keras_predicted, num_classes, seed),
    }


def describe_test(test: dict[str, Any]) -> str:
    """One line for the result of `score_on_test`."""
    macro_f1, difference = test["macro_f1"], test["difference"]
    return (
        f"test macro-F1 {macro_f1['value']:.4f} ({macro_f1['low']:.4f} to {macro_f1['high']:.4f}), "
        f"the run {test['run_macro_f1']:.4f}, paired difference {difference['difference']:+.4f} "
        f"({difference['low']:+.4f} to {difference['high']:+.4f})"
    )
