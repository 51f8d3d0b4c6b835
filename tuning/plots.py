"""The leaderboard's plots, each an SVG string."""

import io
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#2a6fbb", "#d9822b", "#8a8f98"
PANELS_A_ROW = 4
STYLE = {
    "font.size": 9,
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "svg.hashsalt": "kerasclf",
    # A value may hold a dollar sign.
    "text.parse_math": False,
}


def plot_parallel(values: pd.DataFrame, scores: list[float], metric: str, best: int) -> str:
    """Parallel coordinates: a line a trial over one axis a parameter, and the score.

    Args:
        values: n trials, and a column a parameter.
        scores: n scores.
        metric: name of the score.
        best: place of the trial that won.
    """
    names = list(values.columns)
    places = np.array([_place(values[name])[0] for name in names])
    low, high = min(scores), max(scores)
    heights = np.array([(score - low) / (high - low) if high > low else 0.5 for score in scores])
    colors = ScalarMappable(Normalize(low, high), "viridis_r")
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(1.6 + 1.15 * len(names), 3.6))
        # The best lines come last, on top; equal values lie a little apart.
        for i in sorted(range(len(scores)), key=lambda i: (i == best, scores[i])):
            spread = 0.05 * (i / max(1, len(scores) - 1) - 0.5)
            line = [*(places[:, i] + spread), heights[i]]
            color, width = (ORANGE, 2.6) if i == best else (colors.to_rgba(scores[i]), 1.1)
            axes.plot(line, color=color, linewidth=width)
        for x, name in enumerate(names):
            axes.axvline(x, color=GREY, linewidth=0.8)
            for level, label in zip(*_place(values[name])[1:], strict=True):
                axes.annotate(
                    label,
                    (x, level),
                    (3, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=8,
                    bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8},
                )
        axes.axvline(len(names), color=GREY, linewidth=0.8)
        for level, score in ((0.0, low), (1.0, high)):
            axes.annotate(
                f"{score:.3f}", (len(names), level), (4, 0), textcoords="offset points", va="center"
            )
        axes.set_xticks(range(len(names) + 1), [_words(name) for name in [*names, metric]])
        axes.set_yticks([])
        axes.set(xlim=(-0.15, len(names) + 0.45), ylim=(-0.08, 1.08))
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        return _svg(figure)


def plot_parameters(values: pd.DataFrame, scores: list[float], metric: str) -> str:
    """A panel a parameter: the score of each trial by its value, and each value's mean.

    Args:
        values: n trials and a column a parameter.
        scores: n scores.
        metric: name of the score.
    """
    names = list(values.columns)
    across = min(PANELS_A_ROW, len(names))
    down = -(-len(names) // across)
    with plt.rc_context(STYLE):
        figure, grid = plt.subplots(
            down, across, figsize=(2.5 * across, 2.3 * down), sharey=True, squeeze=False
        )
        for axes, name in zip(grid.flat, names, strict=False):
            known = _sorted_values(values[name])
            x = np.array([known.index(value) for value in values[name]])
            axes.scatter(x, scores, s=14, color=BLUE, alpha=0.6, linewidths=0)
            means = [np.mean(np.array(scores)[x == i]) for i in range(len(known))]
            axes.hlines(
                means, np.arange(len(known)) - 0.25, np.arange(len(known)) + 0.25, color=GREY
            )
            axes.set_xticks(range(len(known)), [str(value) for value in known])
            axes.set_xlim(-0.6, len(known) - 0.4)
            axes.set_title(_words(name).replace("\n", " "), fontsize=9)
            axes.spines[["top", "right"]].set_visible(False)
        for axes in grid.flat[len(names) :]:
            axes.set_visible(False)
        for axes in grid[:, 0]:
            axes.set_ylabel(metric.replace("_", " "))
        figure.tight_layout()
        return _svg(figure)


def _place(column: pd.Series) -> tuple[np.ndarray, list[float], list[str]]:
    """Heights 0 to 1 of a parameter's values, and the heights and names of its ticks."""
    known = _sorted_values(column)
    levels = np.linspace(0, 1, len(known)) if len(known) > 1 else np.array([0.5])
    heights = np.array([levels[known.index(value)] for value in column])
    return heights, levels.tolist(), [str(value) for value in known]


def _sorted_values(column: pd.Series) -> list[Any]:
    return sorted(column.unique().tolist(), key=lambda value: (isinstance(value, str), value))


def _words(name: str) -> str:
    return name.replace("_", "\n")


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    return text.getvalue()[text.getvalue().index("<svg") :]
