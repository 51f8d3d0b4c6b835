"""The outcome of a run on the terminal."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from kerasclf.report.wording import (
    describe_baseline,
    describe_ensemble,
    describe_target,
    in_interval,
)


def print_measures(evaluation: dict[str, Any], title: str) -> None:
    """Prints measures with intervals, and the figures of each class."""
    console = Console(highlight=False, markup=False)
    measures = Table("measure", "value", "95 % interval", title=title, box=box.SIMPLE)
    for name, entry in evaluation["measures"].items():
        measures.add_row(
            name.replace("_", " "),
            f"{entry['value']:.4f}",
            f"{entry['low']:.4f} to {entry['high']:.4f}",
        )
    console.print(measures)
    console.print(make_class_table(evaluation["per_class"]))
    if "review" in evaluation:
        review = evaluation["review"]
        rest = review["accuracy_of_rest"]
        console.print(
            f"review  {review['share']:.1%} of the texts are below {review['below']}"
            + ("" if rest is None else f"; accuracy of the others {rest:.4f}")
        )


def make_class_table(per_class: dict[str, dict[str, float]]) -> Table:
    """The figures of each class."""
    table = Table("class", "precision", "recall", "F1", "rows", box=box.SIMPLE)
    for label, scores in per_class.items():
        values = [f"{scores[name]:.3f}" for name in ("precision", "recall", "f1")]
        table.add_row(label, *values, f"{scores['support']:.0f}")
    return table


def print_summary(metrics: dict[str, Any]) -> None:
    """Prints what a finished run has to say."""
    console = Console(highlight=False, markup=False)
    print_measures(metrics["test"], f"{metrics['name']}: {metrics['test']['rows']} test rows")
    macro_f1 = metrics["test"]["measures"]["macro_f1"]
    latency = metrics["latency"]
    ensemble = metrics.get("ensemble")
    voters = ensemble["members"] if ensemble else []
    lines = [
        f"macro-F1  {in_interval(macro_f1)}",
        f"baseline  {describe_baseline(metrics['baseline'])}",
        *(f"member    {voter['run']}, weight {voter['weight']:.3f}" for voter in voters),
        *([f"ensemble  {describe_ensemble(ensemble)}"] if ensemble else []),
        f"latency   one text: p50 {latency['p50_ms']:.2f} ms, p95 {latency['p95_ms']:.2f} ms, "
        f"p99 {latency['p99_ms']:.2f} ms",
        *(f"target    {describe_target(target)}" for target in metrics["targets"]),
        f"time      {sum(metrics['seconds'].values()):.0f} s, "
        f"peak memory {metrics['peak_memory_bytes'] / 2**20:.0f} MiB",
        f"run       {metrics['run']}  (open report.html)",
    ]
    for line in lines:
        console.print(line, soft_wrap=True)


def print_attacks(result: dict[str, Any]) -> None:
    """Prints macro-F1 under each attack."""
    title = f"{result['run']}: {result['rows']} test rows, seed {result['seed']}"
    columns = ("attack", "changed", "macro-F1", "95 % interval", "change", "95 % interval")
    table = Table(*columns, title=title, box=box.SIMPLE)

    def in_short(value: float, low: float, high: float, sign: str = "") -> tuple[str, str]:
        # Three digits, so that a row fits into 80 columns.
        return f"{value:{sign}.3f}", f"{low:{sign}.3f} to {high:{sign}.3f}"

    table.add_row("none", "", *in_short(**result["clean"]["macro_f1"]))
    for name, entry in result["attacks"].items():
        found = entry["difference"]
        change = in_short(found["difference"], found["low"], found["high"], "+")
        table.add_row(name, f"{entry['changed']:.0%}", *in_short(**entry["macro_f1"]), *change)
    Console(highlight=False, markup=False).print(table)
