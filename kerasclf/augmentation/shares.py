"""How many augmented rows each class gets."""

import numpy as np


def share_new_rows(counts: np.ndarray, total: int, balance: bool) -> np.ndarray:
    """Distributes augmented rows over the classes.

    >>> share_new_rows(np.array([60, 30, 10]), 50, balance=False).tolist()
    [30, 15, 5]
    >>> share_new_rows(np.array([100, 70, 40]), 40, balance=True).tolist()  # 70 and 40 become 75
    [0, 5, 35]

    Args:
        counts: int [num_classes], rows of each class.
        total: number of augmented rows.
        balance: raises the smallest classes to a common level first; once all classes are equal,
            the remaining rows are distributed equally. Otherwise each class gets a number
            proportional to its rows.

    Returns:
        int64 [num_classes], sum `total`; a class without rows gets none.
    """
    present = np.flatnonzero(counts)
    rows = counts[present].astype(np.float64)
    quotas = _fill(rows, total) if balance else rows / rows.sum() * total
    # The largest remainders are rounded up, so that the sum is exact.
    whole = np.floor(quotas + 1e-9).astype(np.int64)
    order = np.argsort(-(quotas - whole), kind="stable")
    whole[order[: total - whole.sum()]] += 1
    shares = np.zeros(len(counts), dtype=np.int64)
    shares[present] = whole
    return shares


def _fill(rows: np.ndarray, total: int) -> np.ndarray:
    """The additions of sum `total` that raise the smallest of the rows to a common level."""
    smallest = np.sort(rows)
    for number in range(1, len(rows) + 1):
        level = (smallest[:number].sum() + total) / number
        if number == len(rows) or level <= smallest[number]:
            break
    return np.maximum(level - rows, 0.0)
