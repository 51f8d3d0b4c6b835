"""A comparison of runs on the terminal."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from kerasclf.report.wording import describe_best


def print_comparison(result: dict[str, Any]) -> None:
    """Prints leaderboard, differences, classes and the best run."""
    console = Console(highlight=False, markup=False)
    console.print(_leaderboard(result))
    for name, pairs in result["differences"].items():
        console.print(_differences(name.replace("_", " "), pairs))
    console.print(_classes(result))
    console.print(describe_best(result["best"]), soft_wrap=True)


def _leaderboard(result: dict[str, Any]) -> Table:
    table = Table(title=f"{result['rows']} test rows", box=box.SIMPLE)
    table.add_column("run", overflow="fold")
    for name in ("macro-F1", "accuracy", "targets", "size", "p99", "training"):
        table.add_column(name, justify="right", no_wrap=True)
    for entry in result["runs"]:
        cost = entry["cost"]
        table.add_row(
            entry["run"],
            *(f"{entry['measures'][name]['value']:.4f}" for name in ("macro_f1", "accuracy")),
            f"{sum(target['met'] for target in entry['targets'])} of {len(entry['targets'])}",
            f"{cost['size_bytes'] / 1e6:.1f} MB",
            f"{cost['p99_ms']:.1f} ms",
            f"{cost['train_seconds']:.0f} s",
        )
    return table


def _differences(measure: str, pairs: list[dict[str, Any]]) -> Table:
    table = Table(title=f"paired differences of {measure}, p after Holm", box=box.SIMPLE)
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
