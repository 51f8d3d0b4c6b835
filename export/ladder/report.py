"""The ladder's result as files: ladder.json, ladder.html and pareto.svg."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from export.ladder.attempts import Attempt
from export.ladder.budget import format_value
from kerasclf.files import save_record, write_text
from kerasclf.report.rendering import make_environment
from kerasclf.report.style import BLUE, GREY, ORANGE, styled, to_svg

PANELS = {"size": ("size in MB", 1e-6), "p50": ("median latency of a text in ms", 1.0)}


def write_report(folder: Path, result: dict[str, Any]) -> None:
    """Writes the three files.

    Args:
        folder: where to write them.
        result: of `climb`.
    """
    environment = make_environment("export.ladder")
    environment.filters["value"] = lambda entry, measure: format_value(measure, entry[measure])
    plot = plot_pareto(result["tried"], result["chosen"])
    page = environment.get_template("ladder.html.j2").render(result=result, plot=plot)
    save_record(folder / "ladder.json", result)
    write_text(folder / "pareto.svg", plot)
    write_text(folder / "ladder.html", page)


@styled
def plot_pareto(tried: list[Attempt], chosen: str | None) -> str:
    """An SVG of macro-F1 against size and against latency, each with its Pareto front.

    Args:
        tried: the attempts; those without measurements are left out.
        chosen: name of the chosen attempt.
    """
    measured = [attempt for attempt in tried if "size" in attempt]
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    for panel, (measure, (label, factor)) in zip(axes, PANELS.items(), strict=True):
        _plot_panel(panel, measured, chosen, measure, factor)
        panel.set(xlabel=label)
        panel.margins(0.12)
    axes[0].set(ylabel="validation macro-F1")
    figure.tight_layout()
    return to_svg(figure)


def _plot_panel(
    panel: Axes,
    measured: Sequence[Mapping[str, Any]],
    chosen: str | None,
    measure: str,
    factor: float,
) -> None:
    costs = np.array([attempt[measure] for attempt in measured]) * factor
    scores = np.array([attempt["macro_f1"] for attempt in measured])
    front = find_front(costs, scores)
    panel.step(costs[front], scores[front], where="post", color=GREY, linewidth=1)
    for i, attempt in enumerate(measured):
        color = ORANGE if attempt["name"] == chosen else BLUE
        panel.scatter([costs[i]], [scores[i]], color=color, s=30, zorder=3)
        panel.annotate(
            str(i + 1), (costs[i], scores[i]), (5, 4), textcoords="offset points", fontsize=8
        )


def find_front(costs: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Indices of the points that no other point beats in both, by rising cost.

    Args:
        costs: float [n], lower is better.
        scores: float [n], higher is better.

    Returns:
        int64 [m].
    """
    order = np.lexsort((-scores, costs))
    best = np.maximum.accumulate(np.append(-np.inf, scores[order][:-1]))
    return order[scores[order] > best]
