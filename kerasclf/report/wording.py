"""Sentences that the terminal, the reports and the model card share."""

from collections.abc import Mapping
from typing import Any

from kerasclf.evaluation.novelty import CLOSE
from kerasclf.evaluation.slices import find_gap, find_weak
from kerasclf.evaluation.targets import TargetResult
from kerasclf.statistics.bootstrap import Difference, Estimate


def to_words(name: str) -> str:
    """A key or option as a heading.

    >>> to_words("macro_f1"), to_words("log_loss")
    ('macro-F1', 'log loss')
    """
    return name.replace("_f1", "-F1").replace("_", " ")


def in_interval(estimate: Estimate) -> str:
    """A value with its 95 % interval."""
    return f"{estimate['value']:.4f} ({estimate['low']:.4f} to {estimate['high']:.4f})"


def short_interval(estimate: Estimate) -> str:
    """A value with its 95 % interval, in three digits: for tables in 80 columns."""
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def describe_baseline(baseline: dict[str, Any]) -> str:
    """Whether the model beats the baseline."""
    gain = baseline["macro_f1_difference"]
    return (
        f"{_judge(gain, 'the model', 'the baseline')}: macro-F1 "
        f"{baseline['measures']['macro_f1']:.4f} for {baseline['name']}, "
        f"difference {describe_difference(gain)}"
    )


def describe_parts(parts: dict[str, Any]) -> str:
    """How network and linear part were weighted, or which of them was left out, and why."""
    weights = parts["weights"]
    gains = {
        name: f"macro-F1 {describe_difference(gain)} over the {name}{' part' * (name == 'linear')}"
        for name, gain in parts["differences"].items()
    }
    kept = [name for name, weight in weights.items() if weight > 0]
    if len(kept) == 1:
        left_out = next(name for name in weights if name not in kept)
        return (
            f"{kept[0]} alone; the {left_out} part adds nothing on validation rows: both have "
            f"{gains[kept[0]]} alone"
        )
    shares = " + ".join(f"{weights[name]:.2f} {name}" for name in kept)
    return f"{shares}; on validation rows, {' and '.join(gains.values())} alone"


def describe_sources(by_source: dict[str, dict[str, Any]]) -> str | None:
    """How the easiest and the hardest source differ, if they clearly do."""
    gap = find_gap(by_source)
    if not gap:
        return None
    easy, hard = gap
    scores = {name: by_source[name]["measures"]["macro_f1"]["value"] for name in gap}
    return (
        f"macro-F1 is {scores[easy]:.2f} on {easy} rows and {scores[hard]:.2f} on {hard} rows: the "
        f"figure over all rows is not what you will see on {hard} rows"
    )


def describe_provenance(sources: dict[str, Any]) -> str:
    """How well sources are told apart, and what they have to do with the labels."""
    told = "too few rows to tell the sources apart"
    if sources["balanced_accuracy"] is not None:
        told = (
            "a linear model tells the sources apart with a balanced accuracy of "
            f"{sources['balanced_accuracy']:.3f} (chance {sources['chance']:.3f})"
        )
    return (
        f"{told}; association of source and label {sources['association']:.2f} (Cramér's V, 0 to "
        f"1); {sources['rows_in_shared_groups']} rows are near-duplicates across sources"
    )


def describe_worth(name: str, entry: dict[str, Any], measured: list[str]) -> str:
    """What the rows of a source are worth for the rows that are measured.

    Args:
        name: of the source.
        entry: of `measure_worth`.
        measured: names of the measured sources.
    """
    advice = {
        "better": "train on them",
        "worse": f"leave them out, or weigh them less (--source-weights {name}=0.3)",
        "undecided": "they are of no clear use",
    }[entry["verdict"]]
    gain = describe_difference(entry["curve"][-1]["difference"])
    return f"{name} rows: macro-F1 {gain} on {' and '.join(measured)} rows: {advice}"


def describe_slices(by_slice: dict[str, dict[str, Any]]) -> list[str]:
    """The values of each column whose accuracy is clearly lower than that of all other rows."""
    return [
        f"{column}: accuracy on {', '.join(weak)} is clearly below that on the other rows"
        for column, by_value in by_slice.items()
        if (weak := find_weak(by_value))
    ]


def describe_novelty(novelty: dict[str, Any]) -> str:
    """How many texts are close to a training text, and what that means for the figures."""
    first, last = novelty["quarters"][0], novelty["quarters"][-1]
    facts = (
        f"{novelty['close']:.0%} of the texts are close to a training text (cosine similarity of "
        f"at least {CLOSE}); a linear model has an accuracy of {first['accuracy']:.2f} on the "
        f"quarter that is least similar and {last['accuracy']:.2f} on the most similar one (area "
        f"under the curve {novelty['auc']:.2f})"
    )
    if novelty["decides"]:
        return f"{facts}: on new messages expect less than the figures over all rows"
    return facts


def describe_target(target: TargetResult) -> str:
    """Whether a target was met, and by how much."""
    if target["value"] is None or target["margin"] is None:
        return f"{target['target']} missed: not measured for this data"
    word = "met" if target["met"] else "MISSED"
    return f"{target['target']} {word} by {abs(target['margin']):.4g} ({target['value']:.4g})"


def describe_ensemble(ensemble: dict[str, Any]) -> str:
    """Whether the ensemble beats its best member."""
    gain = ensemble["macro_f1_difference"]
    return (
        f"{_judge(gain, 'the ensemble', 'its best member')}: {ensemble['best_member']}, best on "
        f"validation rows; difference in macro-F1 on test rows {describe_difference(gain)}"
    )


def _judge(gain: Difference, model: str, rival: str) -> str:
    return {
        "better": f"{model} beats {rival}",
        "worse": f"{model} does NOT beat {rival}: it is worse",
        "undecided": f"no clear difference between {model} and {rival}",
    }[gain["verdict"]]


def describe_difference(gain: Mapping[str, Any], digits: int = 4) -> str:
    """A difference with its 95 % interval."""
    value, low, high = (f"{gain[key]:+.{digits}f}" for key in ("difference", "low", "high"))
    return f"{value} ({low} to {high})"


def describe_pile(pile: dict[str, Any]) -> str:
    """What of a pile of unlabelled texts is used, and whether it is like the table."""
    left_out = ", ".join(f"{count} {reason}" for reason, count in pile["left_out"].items())
    like = pile["balanced_accuracy"]
    return (
        f"{pile['used']} of {pile['rows']} texts are labelled by the teachers"
        + (f"; left out: {left_out}" if left_out else "")
        + (
            ""
            if like is None
            else f"; a linear model tells them from the training texts with a balanced accuracy of "
            f"{like:.2f} (0.50 if they were alike)"
        )
    )


def describe_duration(seconds: float) -> str:
    """Seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def describe_best(best: dict[str, Any]) -> str:
    """Which run is the best under the targets, how it was chosen, and how it does on test rows."""
    groups = {
        "better than": best["better_than"],
        "not clearly different from": best["undecided"],
        "worse than": best["worse_than"],
    }
    verdicts = [f"{verdict} {' and '.join(runs)}" for verdict, runs in groups.items() if runs]
    if not best["targets"]:
        return (
            f"best: {best['run']}, chosen on validation rows "
            f"(macro-F1 {best['validation_macro_f1']:.4f}); on test rows its macro-F1 is "
            f"{', '.join(verdicts)}"
        )
    return (
        f"best under the targets: {best['run']}, chosen on validation rows "
        f"({best['validation_targets_met']} of {best['targets']} targets met, "
        f"macro-F1 {best['validation_macro_f1']:.4f}); on test rows it meets "
        f"{best['test_targets_met']}, and its macro-F1 is {', '.join(verdicts)}"
    )
