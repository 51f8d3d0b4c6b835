"""Per-class log-odds offsets that raise macro-F1, and whether they hold on rows not fitted on."""

import numpy as np
from sklearn.model_selection import StratifiedKFold

from kerasclf.evaluation.bootstrap import compare
from kerasclf.evaluation.metrics import confusion_matrix, summarize

ROUNDS = 10
FOLDS = 5
REPEATS = 3
CLEARANCE = 0.1


def macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Mean F1 over all classes up to the highest id; 0 for a class never hit."""
    classes = int(max(labels.max(), predicted.max())) + 1
    return float(summarize(confusion_matrix(labels, predicted, classes), False)["macro_f1"])


def fit_offsets(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Offsets o for which argmax(log p + o) has a high macro-F1, by coordinate ascent.

    Class by class, every value of its offset that changes a decision is tried at once, until a
    round changes nothing. A value is taken only if macro-F1 rises, so on these rows the offsets
    are never worse than argmax.

    Args:
        log_probabilities: float [n, classes].
        labels: int [n], class ids.

    Returns:
        float64 [classes], with mean 0.
    """
    scores = log_probabilities.astype(np.float64)
    offsets = np.zeros(scores.shape[1])
    best = macro_f1(labels, scores.argmax(axis=1))
    for _ in range(ROUNDS):
        before = best
        for class_id in range(len(offsets)):
            candidate = offsets.copy()
            candidate[class_id] = _best_offset(scores + offsets, labels, class_id)
            candidate[class_id] += offsets[class_id]
            found = macro_f1(labels, (scores + candidate).argmax(axis=1))
            if found > best + 1e-12:
                offsets, best = candidate, found
        if best == before:
            break
    return offsets - offsets.mean()


def _best_offset(scores: np.ndarray, labels: np.ndarray, class_id: int) -> float:
    """The change of one class's scores that gives the highest macro-F1.

    A row goes to the class once the change passes the row's margin to its best other class. With
    rows sorted by margin, the counts behind F1 after the first m rows went over are cumulative
    sums.
    """
    n, classes = scores.shape
    others = scores.copy()
    others[:, class_id] = -np.inf
    rival = others.argmax(axis=1)
    margin = others[np.arange(n), rival] - scores[:, class_id]
    order = np.argsort(margin, kind="stable")
    margin, rival, truth = margin[order], rival[order], labels[order]
    support = np.bincount(labels, minlength=classes)
    # Before any row went over, every row has its rival's label.
    predicted = np.bincount(rival, minlength=classes)
    hits = np.bincount(rival[rival == truth], minlength=classes)
    leaving = np.zeros((n + 1, classes))
    leaving[np.arange(1, n + 1), rival] = 1
    lost = leaving * np.append(False, rival == truth)[:, None]
    predicted = predicted - leaving.cumsum(axis=0)
    hits = hits - lost.cumsum(axis=0)
    predicted[:, class_id] = np.arange(n + 1)
    hits[:, class_id] = np.append(0, truth == class_id).cumsum()
    total = predicted + support
    f1 = np.divide(2 * hits, total, out=np.zeros_like(total), where=total > 0).sum(axis=1)
    # Rows of equal margin go over together.
    allowed = np.append(True, np.append(margin[1:] > margin[:-1], True))
    f1[~allowed] = -1
    m = int(np.argmax(f1))
    low = margin[m - 1] if m else -np.inf
    high = margin[m] if m < n else np.inf
    return _nearest(float(low), float(high))


def _nearest(low: float, high: float) -> float:
    """A point inside an interval, near 0: where classes are far apart, the interval is wide.

    Its middle would then move decisions on texts unlike those that were fitted on.
    """
    if low < 0 < high:
        return 0.0
    inside = min(CLEARANCE, (high - low) / 2)
    return low + inside if low >= 0 else high - inside


def cross_fitted_gain(
    log_probabilities: np.ndarray, labels: np.ndarray, seed: int
) -> tuple[float, float]:
    """What offsets add to macro-F1 on rows that they were not fitted on.

    Args:
        log_probabilities: float [n, classes].
        labels: int [n], class ids.
        seed: of the folds.

    Returns:
        Mean over 3 repeats of 5 stratified folds: macro-F1 with the offsets of the other folds,
        over all rows, less that of argmax; and the standard error of such a difference, by a
        paired bootstrap. Minus infinity and 0 where a class has fewer than 2 rows.
    """
    folds = min(FOLDS, int(np.bincount(labels)[np.unique(labels)].min()))
    if folds < 2:
        return -np.inf, 0.0
    plain, found = log_probabilities.argmax(axis=1), []
    for repeat in range(REPEATS):
        predicted = np.empty_like(labels)
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed + repeat)
        for fitted, held in splitter.split(log_probabilities, labels):
            offsets = fit_offsets(log_probabilities[fitted], labels[fitted])
            predicted[held] = (log_probabilities[held] + offsets).argmax(axis=1)
        found.append(compare(labels, predicted, plain, log_probabilities.shape[1], seed))
    gain = np.mean([entry["difference"] for entry in found])
    # The middle 95 % of a normal distribution is 3.92 standard errors wide.
    error = np.mean([entry["high"] - entry["low"] for entry in found]) / 3.92
    return float(gain), float(error)
