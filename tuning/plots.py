"""Plots of the leaderboard, each an SVG string."""

from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import Normalize

from kerasclf.report.style import BLUE, GREY, ORANGE, PAPER, styled, to_svg

PANELS_PER_ROW = 4


@styled
def plot_parallel(values: pd.DataFrame, scores: list[float], metric: str, best: int) -> str:
    """Parallel coordinates: one line per trial, across one axis per option and the score.

    Args:
        values: n trials, one column per option.
        scores: n scores.
        metric: name of the score.
        best: index of the trial that won.
    """
    names = list(values.columns)
    levels = [_levels(values[name]) for name in names]
    low, high = min(scores), max(scores)
    heights = [(score - low) / (high - low) if high > low else 0.5 for score in scores]
    colormap, normalize = matplotlib.colormaps["viridis_r"], Normalize(low, high)
    figure, axes = plt.subplots(figsize=(1.6 + 1.15 * len(names), 3.6))
    # The best lines are drawn last, on top; equal values are slightly apart.
    for i in sorted(range(len(scores)), key=lambda i: (i == best, scores[i])):
        shift = 0.05 * (i / max(1, len(scores) - 1) - 0.5)
        row = zip(levels, values.iloc[i], strict=True)
        line = [*(level[value] + shift for level, value in row), heights[i]]
        color, width = (ORANGE, 2.6) if i == best else (colormap(normalize(scores[i])), 1.1)
        axes.plot(line, color=color, linewidth=width)
    for x, option_levels in enumerate(levels):
        axes.axvline(x, color=GREY, linewidth=0.8)
        for value, level in option_levels.items():
            axes.annotate(
                str(value),
                (x, level),
                (3, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                bbox={"boxstyle": "round,pad=0.1", "fc": PAPER, "ec": "none", "alpha": 0.8},
            )
    axes.axvline(len(names), color=GREY, linewidth=0.8)
    for level, score in ((0.0, low), (1.0, high)):
        axes.annotate(
            f"{score:.3f}", (len(names), level), (4, 0), textcoords="offset points", va="center"
        )
    ticks = [name.replace("_", "\n") for name in [*names, metric]]
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_yticks([])
    axes.set(xlim=(-0.15, len(names) + 0.45), ylim=(-0.08, 1.08))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return to_svg(figure)


@styled
def plot_parameters(values: pd.DataFrame, scores: list[float], metric: str) -> str:
    """One panel per option: the score of each trial by its value, and the mean of each value.

    Args:
        values: n trials, one column per option.
        scores: n scores.
        metric: name of the score.
    """
    names = list(values.columns)
    columns = min(PANELS_PER_ROW, len(names))
    rows = -(-len(names) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(2.5 * columns, 2.3 * rows), sharey=True, squeeze=False
    )
    for axes, name in zip(grid.flat, names, strict=False):
        options = _sorted_values(values[name])
        x = np.array([options.index(value) for value in values[name]])
        axes.scatter(x, scores, s=14, color=BLUE, alpha=0.6, linewidths=0)
        ticks = np.arange(len(options))
        means = [np.mean(np.array(scores)[x == i]) for i in ticks]
        axes.hlines(means, ticks - 0.25, ticks + 0.25, color=GREY)
        axes.set_xticks(ticks, [str(value) for value in options])
        axes.set_xlim(-0.6, len(options) - 0.4)
        axes.set_title(name.replace("_", " "), fontsize=9)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel(metric.replace("_", " "))
    figure.tight_layout()
    return to_svg(figure)


def _levels(column: pd.Series) -> dict[Any, float]:
    """The height of each value of an option, evenly from 0 to 1, in order."""
    options = _sorted_values(column)
    heights = np.linspace(0, 1, len(options)) if len(options) > 1 else np.array([0.5])
    return dict(zip(options, heights.tolist(), strict=True))


def _sorted_values(column: pd.Series) -> list[Any]:
    return sorted(column.unique().tolist(), key=lambda value: (isinstance(value, str), value))
