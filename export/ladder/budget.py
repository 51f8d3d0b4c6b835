"""Budgets of an exported file: limits such as size<1MB,p95<5ms,macro_f1_drop<0.01."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from kerasclf.errors import UserError

SIZES = {"B": 1.0, "KB": 1e3, "MB": 1e6, "KiB": 2.0**10, "MiB": 2.0**20}
TIMES = {"us": 1e-3, "ms": 1.0, "s": 1e3}
MEASURES: dict[str, dict[str, float]] = {
    "size": SIZES,
    "gzip_size": SIZES,
    "memory": SIZES,
    **dict.fromkeys(("p50", "p90", "p95", "p99"), TIMES),
    "macro_f1_drop": {"": 1.0, "%": 0.01},
    "recall_drop": {"": 1.0, "%": 0.01},
}
"""Units by measure: sizes in bytes, times in milliseconds, drops as shares."""
EXAMPLE = "size<1MB,p95<5ms,macro_f1_drop<0.01,recall_drop<0.02"


@dataclass(frozen=True)
class Limit:
    """An upper bound of one measure.

    Attributes:
        measure: key in MEASURES.
        bound: bytes, milliseconds or a share; a measured value must be below it.
        text: the limit as the user wrote it.
    """

    measure: str
    bound: float
    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parses one limit such as size<1MB.

        Raises:
            UserError: it is not a limit.
        """
        match = re.fullmatch(r"\s*(\w+)\s*<\s*([0-9.]+(?:e-?\d+)?)\s*([a-zA-Z%]*)\s*", text)
        if not match:
            raise UserError(f"--budget has {text!r}; expected MEASURE<VALUE such as {EXAMPLE}")
        measure, number, unit = match.groups()
        if measure not in MEASURES:
            raise UserError(f"--budget has {measure!r}; expected one of {', '.join(MEASURES)}")
        units = MEASURES[measure]
        if unit not in units:
            names = ", ".join(filter(None, units))
            raise UserError(f"--budget has {text.strip()!r}; {measure} takes the units {names}")
        try:
            bound = float(number) * units[unit]
        except ValueError:
            raise UserError(f"--budget has {text.strip()!r}; {number!r} is not a number") from None
        return cls(measure, bound, text.strip())


def parse_budget(text: str) -> tuple[Limit, ...]:
    """Parses limits separated by commas.

    Raises:
        UserError: a limit does not parse, or a measure is bounded twice.
    """
    limits = tuple(Limit.parse(part) for part in text.split(","))
    names = [limit.measure for limit in limits]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate:
        raise UserError(f"--budget bounds {duplicate} twice; give each measure once")
    return limits


def find_excesses(limits: Sequence[Limit], measured: Mapping[str, Any]) -> list[str]:
    """Finds the limits that the measured values exceed, one line each."""
    return [
        f"{limit.measure} is {format_value(limit.measure, measured[limit.measure])}, "
        f"not {limit.text.removeprefix(limit.measure).strip()}"
        for limit in limits
        if not measured[limit.measure] < limit.bound
    ]


def distance(limits: Sequence[Limit], measured: Mapping[str, Any]) -> float:
    """Distance of a file from the budget: the largest excess as a share of its limit."""
    return max(measured[x.measure] / x.bound - 1 if x.bound else 1.0 for x in limits)


def format_value(measure: str, value: float) -> str:
    """Formats a measured value with its unit."""
    if MEASURES.get(measure) is SIZES:
        return f"{value / 1e6:.3f} MB"
    if MEASURES.get(measure) is TIMES:
        return f"{value:.3f} ms"
    return f"{value:.4f}"
