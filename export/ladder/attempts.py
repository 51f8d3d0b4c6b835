"""Attempts: exported files of a run, measured against a budget."""

from typing import Any, NotRequired, TypedDict


class Attempt(TypedDict):
    """A file that was tried, as in ladder.json.

    A file that could not be made has no measurements, and the failed check as its reason.

    Attributes:
        network: how the network was changed.
        recipe: recipe of the file.
        name: both.
        size: size of the file in bytes.
        gzip_size: its size after gzip, in bytes.
        memory: peak memory of a process that runs it, in bytes.
        p50: median latency of one text on one thread, in milliseconds; p90 to p99 likewise.
        macro_f1: macro-F1 on validation rows.
        macro_f1_drop: how much lower it is than that of the run.
        recall_drop: largest drop of the recall of a class, beyond one row.
        device: the device that it was measured on.
        reasons: why it does not fit the budget; empty if it does.
    """

    network: str
    recipe: str
    name: str
    size: NotRequired[int]
    gzip_size: NotRequired[int]
    memory: NotRequired[int]
    p50: NotRequired[float]
    p90: NotRequired[float]
    p95: NotRequired[float]
    p99: NotRequired[float]
    macro_f1: NotRequired[float]
    macro_f1_drop: NotRequired[float]
    recall_drop: NotRequired[float]
    device: NotRequired[dict[str, Any]]
    reasons: list[str]


def describe_attempt(attempt: Attempt) -> str:
    """One line: whether a file fits the budget, and why not."""
    return f"{attempt['name']}: {'; '.join(attempt['reasons']) or 'fits the budget'}"
