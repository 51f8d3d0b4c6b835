"""Results printed on the terminal."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from kerasclf.report.many_classes import WEAKEST, has_many, weakest
from kerasclf.report.wording import (
    describe_baseline,
    describe_best,
    describe_difference,
    describe_ensemble,
    describe_novelty,
    describe_parts,
    describe_provenance,
    describe_slices,
    describe_sources,
    describe_target,
    describe_worth,
    in_interval,
    short_interval,
    to_words,
)

SHOWN_LABELS = 5
"""Labels of a source that are printed."""


def print_measures(evaluation: dict[str, Any], title: str) -> None:
    """Prints metrics with their intervals, and the scores of each class."""
    console = Console(highlight=False, markup=False)
    metrics = Table("metric", "value", "95 % interval", title=title, box=box.SIMPLE)
    for name, entry in evaluation["measures"].items():
        metrics.add_row(
            to_words(name),
            f"{entry['value']:.4f}",
            f"{entry['low']:.4f} to {entry['high']:.4f}",
        )
    console.print(metrics)
    print_sources(console, evaluation)
    print_classes(console, evaluation["per_class"])
    if "review" in evaluation:
        review = evaluation["review"]
        rest = review["accuracy_of_rest"]
        console.print(
            f"review  {review['share']:.1%} of the texts have a confidence below {review['below']}"
            + ("" if rest is None else f"; accuracy of the others {rest:.4f}")
        )


def print_sources(console: Console, evaluation: dict[str, Any]) -> None:
    """Prints the figures by source and by the values of other columns, if there are any."""
    by_source, by_slice = evaluation.get("by_source", {}), evaluation.get("by_slice", {})
    for column, by_value in [*([("source", by_source)] if by_source else []), *by_slice.items()]:
        has_baseline = any("baseline" in entry for entry in by_value.values())
        table = Table(box=box.SIMPLE, pad_edge=False)
        table.add_column(column, overflow="fold")
        for name in ("rows", "accuracy", "macro-F1", *(["baseline"] if has_baseline else [])):
            table.add_column(name, justify="right", no_wrap=True)
        for value, entry in by_value.items():
            cells = [short_interval(entry["measures"][name]) for name in ("accuracy", "macro_f1")]
            if has_baseline:
                cells.append(f"{entry['baseline']['macro_f1']:.3f}")
            table.add_row(value, str(entry["rows"]), *cells)
        console.print(table)
    lines = [describe_sources(by_source), *describe_slices(by_slice)]
    for line in filter(None, lines):
        console.print(f"note: {line}", soft_wrap=True)


def print_provenance(console: Console, sources: dict[str, Any]) -> None:
    """Prints the sources of a table, with their labels and typical n-grams."""
    table = Table("source", "rows", "labels", "typical n-grams", box=box.SIMPLE)
    for name, count in sources["rows"].items():
        shares = {label: rows / count for label, rows in sources["labels"][name].items()}
        frequent = sorted(shares, key=lambda label: -shares[label])[:SHOWN_LABELS]
        labels = ", ".join(f"{label} {shares[label]:.0%}" for label in frequent)
        table.add_row(name, str(count), labels, ", ".join(sources["ngrams"].get(name, [])))
    console.print(table)
    console.print(f"sources: {describe_provenance(sources)}", soft_wrap=True)


def print_classes(console: Console, per_class: dict[str, dict[str, float]]) -> None:
    """Prints the scores of each class; of many classes, those of the weakest."""
    if not has_many(list(per_class)):
        console.print(make_class_table(per_class))
        return
    lowest = weakest(per_class, WEAKEST)
    console.print(make_class_table({label: per_class[label] for label in lowest}))
    console.print(f"these {len(lowest)} of {len(per_class)} classes have the lowest F1")


def make_class_table(per_class: dict[str, dict[str, float]]) -> Table:
    """The scores of each class; a class without rows has none."""
    table = Table("class", "precision", "recall", "F1", "rows", box=box.SIMPLE)
    for label, scores in per_class.items():
        names = ("precision", "recall", "f1")
        values = [f"{scores[name]:.3f}" if scores["support"] else "-" for name in names]
        table.add_row(label, *values, f"{scores['support']:.0f}")
    return table


def print_summary(metrics: dict[str, Any]) -> None:
    """Prints the result of a finished run."""
    console = Console(highlight=False, markup=False)
    print_measures(metrics["test"], f"{metrics['name']}: {metrics['test']['rows']} test rows")
    macro_f1 = metrics["test"]["measures"]["macro_f1"]
    latency = metrics["latency"]
    ensemble = metrics.get("ensemble")
    members = ensemble["members"] if ensemble else []
    novelty = metrics.get("novelty")
    novelty = [f"novelty   {describe_novelty(novelty)}"] if novelty and novelty["decides"] else []
    lines = [
        f"macro-F1  {in_interval(macro_f1)}",
        f"baseline  {describe_baseline(metrics['baseline'])}",
        *([f"parts     {describe_parts(metrics['parts'])}"] if "parts" in metrics else []),
        *(f"member    {member['run']}, weight {member['weight']:.3f}" for member in members),
        *([f"ensemble  {describe_ensemble(ensemble)}"] if ensemble else []),
        f"latency   one text: p50 {latency['p50_ms']:.2f} ms, p95 {latency['p95_ms']:.2f} ms, "
        f"p99 {latency['p99_ms']:.2f} ms",
        *(f"target    {describe_target(target)}" for target in metrics["targets"]),
        *novelty,
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

    def format_short(value: float, low: float, high: float, sign: str = "") -> tuple[str, str]:
        # Three digits: a row then fits into 80 columns.
        return f"{value:{sign}.3f}", f"{low:{sign}.3f} to {high:{sign}.3f}"

    table.add_row("none", "", *format_short(**result["clean"]["macro_f1"]))
    for name, entry in result["attacks"].items():
        gain = entry["difference"]
        change = format_short(gain["difference"], gain["low"], gain["high"], "+")
        table.add_row(name, f"{entry['changed']:.0%}", *format_short(**entry["macro_f1"]), *change)
    Console(highlight=False, markup=False).print(table)


def print_crossval(result: dict[str, Any]) -> None:
    """Prints mean, standard deviation and range of each metric, and the scores of each class."""
    console = Console(highlight=False, markup=False)
    folds = result["folds"]
    title = f"{result['name']}: {len(folds)} folds of {result['rows']} training rows"
    metrics = Table("metric", "mean", "std", "lowest", "highest", title=title, box=box.SIMPLE)
    for name, mean in result["mean"].items():
        values = [fold[name] for fold in folds]
        cells = (mean, result["std"][name], min(values), max(values))
        metrics.add_row(to_words(name), *(f"{value:.4f}" for value in cells))
    console.print(metrics)
    print_sources(console, result)
    print_classes(console, result["per_class"])
    line = f"folds   {result['folder']}  (reused by kerasclf distill --out-of-fold {len(folds)})"
    console.print(line, soft_wrap=True)


def print_worth(result: dict[str, Any]) -> None:
    """Prints macro-F1 with shares of each source, and a verdict on it."""
    console = Console(highlight=False, markup=False)
    title = f"{result['folds']} folds of {result['rows']} {' and '.join(result['measured'])} rows"
    table = Table(title=title, box=box.SIMPLE, pad_edge=False)
    table.add_column("trained with", overflow="fold")
    for name in ("rows", "macro-F1", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row("these rows alone", "", short_interval(result["alone"]["macro_f1"]), "")
    for name, entry in result["sources"].items():
        for point in entry["curve"]:
            table.add_row(
                f"{point['share']:.0%} of {name}",
                str(point["rows"]),
                short_interval(point["measures"]["macro_f1"]),
                describe_difference(point["difference"], 3),
            )
    console.print(table)
    for name, entry in result["sources"].items():
        console.print(describe_worth(name, entry, result["measured"]), soft_wrap=True)


def print_comparison(result: dict[str, Any]) -> None:
    """Prints leaderboard, differences, scores by class and the best run."""
    console = Console(highlight=False, markup=False)
    console.print(_leaderboard(result))
    for name, pairs in result["differences"].items():
        console.print(_differences(to_words(name), pairs))
    if any(entry["by_source"] for entry in result["runs"]):
        console.print(_sources(result))
    console.print(_classes(result))
    console.print(describe_best(result["best"]), soft_wrap=True)


def _leaderboard(result: dict[str, Any]) -> Table:
    table = Table(title=f"{result['rows']} test rows", box=box.SIMPLE)
    table.add_column("run", overflow="fold")
    met = ("targets",) if result["targets"] else ()
    for name in ("macro-F1", "accuracy", *met, "size", "p99", "training"):
        table.add_column(name, justify="right", no_wrap=True)
    for entry in result["runs"]:
        cost = entry["cost"]
        table.add_row(
            entry["run"],
            *(f"{entry['measures'][name]['value']:.4f}" for name in ("macro_f1", "accuracy")),
            *(
                f"{sum(target['met'] for target in entry['targets'])} of {len(entry['targets'])}"
                for _ in met
            ),
            f"{cost['size_bytes'] / 1e6:.1f} MB",
            f"{cost['p99_ms']:.1f} ms",
            f"{cost['train_seconds']:.0f} s",
        )
    return table


def _differences(metric: str, pairs: list[dict[str, Any]]) -> Table:
    table = Table(title=f"paired differences in {metric}, p corrected by Holm", box=box.SIMPLE)
    for name in ("first", "second"):
        table.add_column(name, overflow="fold")
    for name in ("difference", "95 % interval", "p", "first is"):
        table.add_column(name, justify="right", no_wrap=True)
    for pair in pairs:
        table.add_row(
            pair["first"],
            pair["second"],
            f"{pair['difference']:+.4f}",
            f"{pair['low']:+.4f} to {pair['high']:+.4f}",
            f"{pair['p_holm']:.4f}",
            pair["verdict"],
        )
    return table


def _sources(result: dict[str, Any]) -> Table:
    table = Table(title="macro-F1 by source", box=box.SIMPLE)
    table.add_column("source", overflow="fold")
    for entry in result["runs"]:
        table.add_column(entry["run"], justify="right", overflow="fold")
    for source in sorted({name for entry in result["runs"] for name in entry["by_source"]}):
        found = [entry["by_source"].get(source) for entry in result["runs"]]
        table.add_row(
            source, *(short_interval(f["measures"]["macro_f1"]) if f else "-" for f in found)
        )
    return table


def _classes(result: dict[str, Any]) -> Table:
    table = Table(title="F1 by class", box=box.SIMPLE)
    table.add_column("class", overflow="fold")
    table.add_column("rows", justify="right")
    for entry in result["runs"]:
        table.add_column(entry["run"], justify="right", overflow="fold")
    for label in result["labels"]:
        scores = [entry["per_class"][label] for entry in result["runs"]]
        table.add_row(
            label, f"{scores[0]['support']:.0f}", *(f"{score['f1']:.3f}" for score in scores)
        )
    return table
