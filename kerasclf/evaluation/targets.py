"""Targets such as macro_f1>=0.80, and whether a run meets them."""

import operator
import re
from collections.abc import Sequence
from typing import TypedDict

from kerasclf.errors import UserError
from kerasclf.evaluation.latency import PERCENTILES
from kerasclf.statistics.metrics import CONFUSION_METRICS, ORDERED_METRICS, PROBABILITY_METRICS

_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_TARGET = re.compile(r"\s*([a-z0-9_]+)\s*(>=|<=|>|<)\s*([0-9.eE+-]+)\s*")
TARGET_METRICS = (
    *CONFUSION_METRICS,
    *PROBABILITY_METRICS,
    *ORDERED_METRICS,
    *(f"latency_p{percentile}_ms" for percentile in PERCENTILES),
)


class TargetResult(TypedDict):
    """Whether a target was met.

    The margin says by how much it was met, or (then negative) missed. A metric that does not exist
    for the data is missed, without value and margin.
    """

    target: str
    value: float | None
    met: bool
    margin: float | None


def parse_target(target: str) -> tuple[str, str, float]:
    """Metric, comparison and bound of a target.

    Raises:
        UserError: it does not parse, or the metric is unknown.
    """
    match = _TARGET.fullmatch(target)
    try:
        name, comparison, bound = match.groups() if match else ("", "", "")
        value = float(bound)
    except ValueError:
        name = ""
    if name not in TARGET_METRICS:
        raise UserError(
            f"--target is {target!r}; expected a metric, a comparison and a number such as "
            f"macro_f1>=0.80; the metrics are {', '.join(TARGET_METRICS)}"
        )
    return name, comparison, value


def check_targets(targets: Sequence[str], values: dict[str, float]) -> list[TargetResult]:
    """Compares the values of metrics with targets.

    Args:
        targets: such as macro_f1>=0.80.
        values: by metric.

    Raises:
        UserError: a target does not parse, or its metric is unknown.
    """
    results = []
    for target in targets:
        name, comparison, bound = parse_target(target)
        value = values.get(name)
        margin = None
        if value is not None:
            margin = value - bound if comparison.startswith(">") else bound - value
        met = value is not None and bool(_COMPARE[comparison](value, bound))
        results.append(TargetResult(target=target, value=value, met=met, margin=margin))
    return results
