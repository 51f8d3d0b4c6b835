"""Everything that is measured of a classifier on labelled rows."""

from typing import Any

import numpy as np
import pandas as pd

from kerasclf.decision.rule import Decision
from kerasclf.evaluation.bootstrap import measure
from kerasclf.evaluation.metrics import class_scores, confusion_matrix, summarize

LENGTHS = (0, 32, 64, 128, 256)
"""Lower bounds, in UTF-8 bytes, of the slices by length."""
WORST = 20


def evaluate(
    texts: list[str],
    classes: np.ndarray,
    logits: np.ndarray,
    decision: Decision,
    labels: tuple[str, ...],
    ordered: bool,
    seed: int,
) -> dict[str, Any]:
    """Measures decisions on n labelled rows.

    Args:
        texts: n strings.
        classes: int [n], true class ids.
        logits: float [n, classes].
        decision: logits to class ids.
        labels: label names.
        ordered: whether their order means something.
        seed: of the bootstrap.

    Returns:
        "rows", "measures" with intervals, "per_class", "confusion" (true by predicted), "review"
        where the decision has a review band, "by_length", and the "worst_errors".
    """
    decided = decision.decide(logits)
    log_probabilities = decision.log_probabilities(logits)
    confusion = confusion_matrix(classes, decided, len(labels))
    scores = class_scores(confusion)
    found: dict[str, Any] = {
        "rows": len(texts),
        "measures": measure(classes, decided, log_probabilities, ordered, seed),
        "per_class": {
            label: {name: float(values[i]) for name, values in scores.items()}
            for i, label in enumerate(labels)
        },
        "confusion": confusion.astype(int).tolist(),
        "by_length": _by_length(texts, classes, decided, len(labels)),
        "worst_errors": _worst_errors(texts, classes, decided, log_probabilities, labels),
    }
    if decision.review_below is not None:
        flagged = decision.flag(logits, decided)
        kept = ~flagged
        found["review"] = {
            "below": decision.review_below,
            "share": float(flagged.mean()),
            "accuracy_of_rest": float((decided == classes)[kept].mean()) if kept.any() else None,
        }
    return found


def prediction_frame(
    split: str,
    rows: pd.DataFrame,
    logits: np.ndarray,
    decision: Decision,
    labels: tuple[str, ...],
) -> pd.DataFrame:
    """One row a text: what it was, what was predicted and how sure.

    Args:
        split: validation or test.
        rows: n rows with columns row, text and label.
        logits: float [n, classes].
        decision: logits to class ids.
        labels: label names.

    Returns:
        Frame with split, row, text, label, predicted_label, confidence, review, and p_LABEL and
        logit_LABEL for each label.
    """
    decided = decision.decide(logits)
    probabilities = np.exp(decision.log_probabilities(logits))
    frame = rows[["row", "text", "label"]].reset_index(drop=True)
    frame.insert(0, "split", split)
    frame["predicted_label"] = np.array(labels, dtype=object)[decided]
    frame["confidence"] = probabilities[np.arange(len(decided)), decided]
    frame["review"] = decision.flag(logits, decided)
    more = {f"p_{label}": probabilities[:, i] for i, label in enumerate(labels)}
    more |= {f"logit_{label}": logits[:, i] for i, label in enumerate(labels)}
    return frame.join(pd.DataFrame(more))


def _by_length(
    texts: list[str], classes: np.ndarray, decided: np.ndarray, count: int
) -> list[dict[str, Any]]:
    lengths = np.array([len(text.encode("utf-8")) for text in texts])
    slices = []
    for low, high in zip(LENGTHS, (*LENGTHS[1:], None), strict=True):
        inside = (lengths >= low) & (lengths < (high or np.inf))
        if not inside.any():
            continue
        # Macro-F1 over the classes that the slice holds: an absent class says nothing of it.
        present = np.unique(classes[inside])
        confusion = confusion_matrix(classes[inside], decided[inside], count)
        slices.append(
            {
                "bytes": f"{low} to {high - 1}" if high else f"{low} and more",
                "rows": int(inside.sum()),
                "accuracy": float(summarize(confusion, False)["accuracy"]),
                "macro_f1": float(class_scores(confusion)["f1"][present].mean()),
            }
        )
    return slices


def _worst_errors(
    texts: list[str],
    classes: np.ndarray,
    decided: np.ndarray,
    log_probabilities: np.ndarray,
    labels: tuple[str, ...],
) -> list[dict[str, Any]]:
    """The wrong decisions that the model was surest of."""
    confidence = np.exp(log_probabilities[np.arange(len(decided)), decided])
    wrong = np.flatnonzero(decided != classes)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:WORST]
    return [
        {
            "text": texts[i][:300],
            "label": labels[classes[i]],
            "predicted_label": labels[decided[i]],
            "confidence": float(confidence[i]),
        }
        for i in worst
    ]
