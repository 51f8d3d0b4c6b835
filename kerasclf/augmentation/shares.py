"""How many new rows each class gets."""

import numpy as np


def share_new_rows(counts: np.ndarray, total: int, balance: bool) -> np.ndarray:
    """Deals new rows to the classes.

    Args:
        counts: int [classes], rows of each class.
        total: new rows in all.
        balance: whether the smallest classes are filled up first, all to one level, as water fills
            a vessel; what is left once all are equal is dealt equally. If not, each class gets its
            share of the rows.

    Returns:
        int64 [classes], sum `total`; a class without rows gets none.
    """
    present = np.flatnonzero(counts)
    rows = counts[present].astype(np.float64)
    quotas = _fill(rows, total) if balance else rows / rows.sum() * total
    whole = np.floor(quotas + 1e-9).astype(np.int64)
    order = np.argsort(-(quotas - whole), kind="stable")
    whole[order[: total - whole.sum()]] += 1
    found = np.zeros(len(counts), dtype=np.int64)
    found[present] = whole
    return found


def _fill(rows: np.ndarray, total: int) -> np.ndarray:
    """What raises the smallest of the rows to one level, sum `total`."""
    smallest = np.sort(rows)
    for number in range(1, len(rows) + 1):
        level = (smallest[:number].sum() + total) / number
        if number == len(rows) or level <= smallest[number]:
            break
    return np.maximum(level - rows, 0.0)
