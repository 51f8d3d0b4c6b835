"""The one figure of a finished file on test rows."""

from typing import Any

import numpy as np

from export.prove import read_rows
from export.runtime import EdgeClassifier
from kerasclf.evaluation.bootstrap import compare, measure
from kerasclf.files import read_json
from kerasclf.layout import RunLayout


def score_on_test(layout: RunLayout, file: EdgeClassifier) -> dict[str, Any]:
    """Measures a file on the test rows of a run; to be called once, when all is chosen.

    Args:
        layout: a finished run.
        file: a file that was made of it.

    Returns:
        "rows"; "macro_f1" and "accuracy" with their intervals; "run_macro_f1", that of the run in
        Keras; and "difference", the paired one of both.
    """
    metrics = read_json(layout.metrics)
    texts, classes, keras_decided = read_rows(layout, "test")
    outputs = [file.run(text) for text in texts]
    decided = np.array([int(output["label"][0]) for output in outputs])
    probabilities = np.concatenate([output["probabilities"] for output in outputs])
    # A rounded file may say 0, whose logarithm would make every mean infinite.
    log_probabilities = np.log(np.maximum(probabilities, 1e-30, dtype=np.float64))
    seed = 0
    measures = measure(classes, decided, log_probabilities, metrics["ordered"], seed)
    return {
        "rows": len(texts),
        "macro_f1": measures["macro_f1"],
        "accuracy": measures["accuracy"],
        "run_macro_f1": metrics["test"]["measures"]["macro_f1"]["value"],
        "difference": compare(classes, decided, keras_decided, len(metrics["labels"]), seed),
    }
