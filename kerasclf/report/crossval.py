"""The outcome of a cross-validation on the terminal."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from kerasclf.report.summary import make_class_table


def print_crossval(result: dict[str, Any]) -> None:
    """Prints mean, standard deviation and spread of each measure, and the figures of classes."""
    console = Console(highlight=False, markup=False)
    folds = result["folds"]
    title = f"{result['name']}: {len(folds)} folds of {result['rows']} training rows"
    measures = Table("measure", "mean", "std", "lowest", "highest", title=title, box=box.SIMPLE)
    for name, mean in result["mean"].items():
        values = [fold[name] for fold in folds]
        cells = (mean, result["std"][name], min(values), max(values))
        measures.add_row(name.replace("_", " "), *(f"{value:.4f}" for value in cells))
    console.print(measures)
    console.print(make_class_table(result["per_class"]))
    place = f"folds   {result['folder']}  (distill --out-of-fold {len(folds)} uses them)"
    console.print(place, soft_wrap=True)
