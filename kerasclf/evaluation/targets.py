"""Targets such as macro_f1>=0.80, and whether a run met them."""

import operator
import re
from typing import Any

from kerasclf.errors import UserError

_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_TARGET = re.compile(r"\s*([a-z0-9_]+)\s*(>=|<=|>|<)\s*([0-9.eE+-]+)\s*")
MEASURES = (
    "accuracy",
    "macro_f1",
    "weighted_f1",
    "mcc",
    "log_loss",
    "ece",
    "quadratic_kappa",
    "off_by_two",
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
)


def parse_target(target: str) -> tuple[str, str, float]:
    """Measure, comparison and bound of a target.

    Raises:
        UserError: it does not parse, or the measure is unknown.
    """
    match = _TARGET.fullmatch(target)
    try:
        name, comparison, bound = match.groups() if match else ("", "", "")
        value = float(bound)
    except ValueError:
        name = ""
    if name not in MEASURES:
        raise UserError(
            f"--target is {target!r}; expected a measure, a comparison and a number such as "
            f"macro_f1>=0.80, with one of {', '.join(MEASURES)}"
        )
    return name, comparison, value


def check_targets(targets: tuple[str, ...], measured: dict[str, float]) -> list[dict[str, Any]]:
    """Compares measured values with targets.

    Args:
        targets: such as macro_f1>=0.80.
        measured: values by measure.

    Returns:
        For each target "target", "value", "met", and "margin": by how much it was met, or (then
        negative) missed. A measure that does not exist for this data is missed, with no value.
    """
    found = []
    for target in targets:
        name, comparison, bound = parse_target(target)
        value = measured.get(name)
        margin = None
        if value is not None:
            margin = value - bound if comparison.startswith(">") else bound - value
        met = value is not None and bool(_COMPARE[comparison](value, bound))
        found.append({"target": target, "value": value, "met": met, "margin": margin})
    return found
