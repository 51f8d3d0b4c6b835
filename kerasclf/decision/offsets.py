"""Per-class log-odds offsets that raise macro-F1, and whether the gain holds on other rows."""

import numpy as np
from sklearn.model_selection import StratifiedKFold

from kerasclf.statistics import metrics
from kerasclf.statistics.bootstrap import compare

ROUNDS = 10
FOLDS = 5
REPEATS = 3
CLEARANCE = 0.1


def macro_f1(class_ids: np.ndarray, predicted: np.ndarray) -> float:
    """Mean F1 of the classes that occur, as true or as predicted."""
    num_classes = int(max(class_ids.max(), predicted.max())) + 1
    return float(metrics.macro_f1(metrics.confusion_matrix(class_ids, predicted, num_classes)))


def fit_offsets(log_probabilities: np.ndarray, class_ids: np.ndarray) -> np.ndarray:
    """Offsets o for which argmax(log p + o) has a high macro-F1, by coordinate ascent.

    For one class at a time, every value of its offset that changes a decision is tried at once,
    until a round changes nothing. A value is accepted only if macro-F1 rises, so on these rows the
    offsets are never worse than argmax.

    Args:
        log_probabilities: float [n, num_classes].
        class_ids: int64 [n].

    Returns:
        float64 [num_classes], with mean 0.
    """
    scores = log_probabilities.astype(np.float64)
    offsets = np.zeros(scores.shape[1])
    best = macro_f1(class_ids, scores.argmax(axis=1))
    for _ in range(ROUNDS):
        before = best
        for class_id in range(len(offsets)):
            candidate = offsets.copy()
            candidate[class_id] = _best_offset(scores + offsets, class_ids, class_id)
            candidate[class_id] += offsets[class_id]
            score = macro_f1(class_ids, (scores + candidate).argmax(axis=1))
            if score > best + 1e-12:
                offsets, best = candidate, score
        if best == before:
            break
    return offsets - offsets.mean()


def _best_offset(scores: np.ndarray, class_ids: np.ndarray, class_id: int) -> float:
    """The change of one class's scores that gives the highest macro-F1.

    A row moves to the class once the change exceeds the row's margin to its best other class. With
    rows sorted by margin, the counts behind F1 after the first m rows have moved are cumulative
    sums.
    """
    n, num_classes = scores.shape
    others = scores.copy()
    others[:, class_id] = -np.inf
    rival = others.argmax(axis=1)
    margin = others[np.arange(n), rival] - scores[:, class_id]
    order = np.argsort(margin, kind="stable")
    margin, rival, true = margin[order], rival[order], class_ids[order]
    support = np.bincount(class_ids, minlength=num_classes)
    # Before any row has moved, every row is predicted as its rival.
    predicted = np.bincount(rival, minlength=num_classes)
    hits = np.bincount(rival[rival == true], minlength=num_classes)
    leaving = np.zeros((n + 1, num_classes))
    leaving[np.arange(1, n + 1), rival] = 1
    lost = leaving * np.append(False, rival == true)[:, None]
    predicted = predicted - leaving.cumsum(axis=0)
    hits = hits - lost.cumsum(axis=0)
    predicted[:, class_id] = np.arange(n + 1)
    hits[:, class_id] = np.append(0, true == class_id).cumsum()
    total = predicted + support
    f1 = np.divide(2 * hits, total, out=np.zeros_like(total), where=total > 0).sum(axis=1)
    # Rows of equal margin move together.
    allowed = np.append(True, np.append(margin[1:] > margin[:-1], True))
    f1[~allowed] = -1
    m = int(np.argmax(f1))
    low = margin[m - 1] if m else -np.inf
    high = margin[m] if m < n else np.inf
    return _nearest(float(low), float(high))


def _nearest(low: float, high: float) -> float:
    """The point inside an interval that is nearest to 0, with some clearance from its ends.

    Where classes are far apart the interval is wide, and its middle would change decisions on
    texts unlike those that the offsets were fitted on.
    """
    if low < 0 < high:
        return 0.0
    inside = min(CLEARANCE, (high - low) / 2)
    return low + inside if low >= 0 else high - inside


def cross_fitted_gain(
    log_probabilities: np.ndarray, class_ids: np.ndarray, seed: int
) -> tuple[float, float]:
    """What offsets add to macro-F1 on rows that they were not fitted on.

    Args:
        log_probabilities: float [n, num_classes].
        class_ids: int64 [n].
        seed: of the folds.

    Returns:
        Mean over 3 repeats of 5 stratified folds: macro-F1 with the offsets of the other folds,
        over all rows, less that of argmax; and the standard error of such a difference, by a
        paired bootstrap. Minus infinity and 0 where a class has fewer than 2 rows.
    """
    folds = min(FOLDS, int(np.bincount(class_ids)[np.unique(class_ids)].min()))
    if folds < 2:
        return -np.inf, 0.0
    num_classes = log_probabilities.shape[1]
    plain, differences = log_probabilities.argmax(axis=1), []
    for repeat in range(REPEATS):
        predicted = np.empty_like(class_ids)
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed + repeat)
        for fitted, held in splitter.split(log_probabilities, class_ids):
            offsets = fit_offsets(log_probabilities[fitted], class_ids[fitted])
            predicted[held] = (log_probabilities[held] + offsets).argmax(axis=1)
        differences.append(compare(class_ids, predicted, plain, num_classes, seed))
    gain = np.mean([entry["difference"] for entry in differences])
    # The middle 95 % of a normal distribution is 3.92 standard errors wide.
    error = np.mean([entry["high"] - entry["low"] for entry in differences]) / 3.92
    return float(gain), float(error)
