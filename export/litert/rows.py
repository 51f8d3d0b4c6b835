"""The labelled rows of a run, and a file's predictions for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kerasclf.files import load_table
from kerasclf.run.layout import RunLayout

if TYPE_CHECKING:
    from kerasclf.edge_runtime import EdgeClassifier


@dataclass(frozen=True)
class Rows:
    """The n rows of a split.

    Attributes:
        texts: n strings.
        class_ids: int64 [n], true class ids.
        keras_predicted: int64 [n], class ids that the run itself decided on.
    """

    texts: list[str]
    class_ids: np.ndarray
    keras_predicted: np.ndarray


def read_rows(layout: RunLayout, split: str) -> Rows:
    """Reads the rows of a split of a finished run.

    Args:
        layout: a finished run.
        split: validation or test.
    """
    frame = load_table(layout.predictions, filters=[("split", "==", split)])
    labels = layout.read_labels()
    class_ids, keras_predicted = (
        frame[column].map(labels.index).to_numpy(np.int64)
        for column in ("label", "predicted_label")
    )
    return Rows(frame["text"].tolist(), class_ids, keras_predicted)


def predict_rows(file: "EdgeClassifier", texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Runs a file on n texts.

    Returns:
        Calibrated probabilities, float32 [n, num_classes], and decided class ids, int64 [n].
    """
    outputs = [file.run(text) for text in texts]
    probabilities = np.concatenate([output["probabilities"] for output in outputs])
    return probabilities, np.array([int(output["label"][0]) for output in outputs])
