"""How many bytes of a text the bytes encoder and the linear part read."""

from collections.abc import Sequence
from typing import Any

import numpy as np

PERCENTILE = 98
"""Of 50 texts, one may be cut: what it says is usually said before its end."""
STEP, LEAST, MOST = 64, 64, 512
"""Widths are multiples of STEP. The time of a file grows with its width: MOST bounds both."""
WARN_ABOVE = 0.05
"""Share of cut texts from which on there is a warning."""


def choose_width(texts: Sequence[str]) -> int:
    """The default of --max-bytes: a high percentile of the lengths of the training texts.

    >>> choose_width(["x" * 100] * 99 + ["x" * 9000])
    128

    Args:
        texts: training texts, at least one.

    Returns:
        UTF-8 bytes, a multiple of 64 from 64 to 512.
    """
    width = np.percentile(_lengths(texts), PERCENTILE, method="higher")
    return int(np.clip(-(-width // STEP) * STEP, LEAST, MOST))


def describe_truncation(texts: Sequence[str], max_bytes: int | None) -> dict[str, Any]:
    """Counts the texts that are longer than what is read of them.

    Args:
        texts: n strings, at least one.
        max_bytes: UTF-8 bytes that are read of a text; None if its tokens are read.

    Returns:
        "max_bytes" and the number of "truncated_texts", for the findings.
    """
    count = 0 if max_bytes is None else int((_lengths(texts) > max_bytes).sum())
    return {"max_bytes": max_bytes, "truncated_texts": count}


def warn_of_truncation(findings: dict[str, Any]) -> list[str]:
    """A warning if many texts are cut.

    Args:
        findings: with those of `describe_truncation`, and "rows_kept".
    """
    share = findings["truncated_texts"] / findings["rows_kept"]
    if share <= WARN_ABOVE:
        return []
    return [f"{share:.0%} of the texts exceed {findings['max_bytes']} bytes and will be truncated"]


def _lengths(texts: Sequence[str]) -> np.ndarray:
    return np.array([len(text.encode("utf-8", "replace")) for text in texts])
