"""Sentences that the terminal, the report and the model card share."""

from typing import Any


def in_interval(entry: dict[str, float]) -> str:
    """A value with its 95 % interval."""
    return f"{entry['value']:.4f} ({entry['low']:.4f} to {entry['high']:.4f})"


def describe_baseline(baseline: dict[str, Any]) -> str:
    """Whether the network beats the baseline, plainly."""
    found = baseline["macro_f1_difference"]
    return (
        f"{_judge(found, 'the network', 'the baseline')}: macro-F1 "
        f"{baseline['measures']['macro_f1']:.4f} for {baseline['name']}, "
        f"difference {_difference(found)}"
    )


def describe_target(target: dict[str, Any]) -> str:
    """Whether a target was met, and by how much."""
    if target["value"] is None:
        return f"{target['target']} missed: not measured for this data"
    word = "met" if target["met"] else "MISSED"
    return f"{target['target']} {word} by {abs(target['margin']):.4g} ({target['value']:.4g})"


def describe_ensemble(ensemble: dict[str, Any]) -> str:
    """Whether the ensemble beats its best member, plainly."""
    found = ensemble["macro_f1_difference"]
    return (
        f"{_judge(found, 'the ensemble', 'its best member')}: {ensemble['best_member']}, best on "
        f"validation rows; difference of macro-F1 on test rows {_difference(found)}"
    )


def _judge(found: dict[str, Any], who: str, whom: str) -> str:
    return {
        "better": f"{who} beats {whom}",
        "worse": f"{who} does NOT beat {whom}, it is worse",
        "undecided": f"{who} does not clearly beat {whom}, nor the other way round",
    }[found["verdict"]]


def _difference(found: dict[str, Any]) -> str:
    return f"{found['difference']:+.4f} ({found['low']:+.4f} to {found['high']:+.4f})"


def describe_duration(seconds: float) -> str:
    """Seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def describe_best(best: dict[str, Any]) -> str:
    """Which run is the best under the targets, how it was picked, and what test rows say of it."""
    words = {
        "better than": best["better_than"],
        "not clearly apart from": best["undecided"],
        "worse than": best["worse_than"],
    }
    said = ", ".join(f"{word} {' and '.join(runs)}" for word, runs in words.items() if runs)
    return (
        f"best under the targets: {best['run']}, picked on validation rows "
        f"({best['validation_targets_met']} of {best['targets']} targets met, "
        f"macro-F1 {best['validation_macro_f1']:.4f}); on test rows it meets "
        f"{best['test_targets_met']}, and its macro-F1 is {said}"
    )
