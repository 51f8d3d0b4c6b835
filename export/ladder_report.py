"""The ladder's outcome as files: ladder.json, ladder.html and pareto.svg."""

from pathlib import Path
from typing import Any

import jinja2
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from export.budget import format_value
from kerasclf.files import write_json, write_text

BLUE, ORANGE, GREY = "#2a6fbb", "#d9822b", "#8a8f98"
PANELS = {"size": ("size in MB", 1e-6), "p50": ("median latency of a text in ms", 1.0)}


def write_report(folder: Path, result: dict[str, Any]) -> None:
    """Writes the three files.

    Args:
        folder: where to.
        result: of `compress`.
    """
    write_json(folder / "ladder.json", result)
    plot_pareto(result["tried"], result["chosen"], folder / "pareto.svg")
    template = Path(__file__).parent / "templates" / "ladder.html.j2"
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["value"] = lambda entry, measure: format_value(measure, entry[measure])
    svg = (folder / "pareto.svg").read_text(encoding="utf-8")
    page = environment.from_string(template.read_text(encoding="utf-8")).render(
        result=result, plot=svg[svg.index("<svg") :]
    )
    write_text(folder / "ladder.html", page)


def plot_pareto(tried: list[dict[str, Any]], chosen: str | None, path: Path) -> None:
    """Writes an SVG: macro-F1 against size and against latency, with the front of both.

    Args:
        tried: entries of the ladder; those that were not measured are left out.
        chosen: name of the chosen entry.
        path: where to.
    """
    measured = [entry for entry in tried if "size" in entry]
    with plt.rc_context({"font.size": 9, "svg.hashsalt": "kerasclf", "svg.fonttype": "none"}):
        figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
        for panel, (measure, (label, unit)) in zip(axes, PANELS.items(), strict=True):
            _plot_panel(panel, measured, chosen, measure, unit)
            panel.set(xlabel=label)
            panel.margins(0.12)
            panel.spines[["top", "right"]].set_visible(False)
        axes[0].set(ylabel="validation macro-F1")
        figure.tight_layout()
        figure.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
        plt.close(figure)


def _plot_panel(
    panel: Axes, measured: list[dict[str, Any]], chosen: str | None, measure: str, unit: float
) -> None:
    costs = np.array([entry[measure] for entry in measured]) * unit
    scores = np.array([entry["macro_f1"] for entry in measured])
    front = find_front(costs, scores)
    panel.step(costs[front], scores[front], where="post", color=GREY, linewidth=1)
    for i, entry in enumerate(measured):
        color = ORANGE if entry["name"] == chosen else BLUE
        panel.scatter([costs[i]], [scores[i]], color=color, s=30, zorder=3)
        panel.annotate(
            str(i + 1), (costs[i], scores[i]), (5, 4), textcoords="offset points", fontsize=8
        )


def find_front(costs: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Places of the points that no other beats in both, by rising cost.

    Args:
        costs: float [n], lower is better.
        scores: float [n], higher is better.

    Returns:
        int64 [m].
    """
    order = np.lexsort((-scores, costs))
    best = np.maximum.accumulate(np.append(-np.inf, scores[order][:-1]))
    return order[scores[order] > best]
