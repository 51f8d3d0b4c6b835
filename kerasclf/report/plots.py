"""Plots of the reports, each an SVG string."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import average_precision_score, precision_recall_curve

from kerasclf.report.many_classes import has_many
from kerasclf.report.style import BLUE, GREY, INK, ORANGE, styled, to_svg
from kerasclf.run.history import Epoch

RELIABILITY_BINS = 10
PANELS_PER_ROW = 5
WIDTH = 4.2
"""Of a plot, in inches: legible on a telephone."""


@styled
def plot_history(history: list[Epoch]) -> list[str]:
    """Training and validation loss, and validation macro-F1, by epoch; the best one is marked."""
    epochs = [row["epoch"] for row in history]
    losses, axes = plt.subplots(figsize=(WIDTH, 2.8))
    axes.plot(epochs, [row["loss"] for row in history], color=BLUE, marker=".", label="training")
    axes.plot(
        epochs, [row["val_loss"] for row in history], color=ORANGE, marker=".", label="validation"
    )
    axes.set(xlabel="epoch", ylabel="loss")
    scores = [row["val_macro_f1"] for row in history]
    best = int(np.argmax(scores))
    macro_f1, other = plt.subplots(figsize=(WIDTH, 2.8))
    other.plot(epochs, scores, color=ORANGE, marker=".")
    other.scatter([epochs[best]], [scores[best]], color=ORANGE, s=60, zorder=3, label="best")
    other.set(xlabel="epoch", ylabel="validation macro-F1")
    for panel in (axes, other):
        panel.legend(frameon=False)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    return [to_svg(losses), to_svg(macro_f1)]


@styled
def plot_confusion(counts: np.ndarray, labels: list[str]) -> str:
    """Confusion matrix, int [num_classes, num_classes], shaded by shares of the true class."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 2.0 + 0.42 * len(labels)
    figure, axes = plt.subplots(figsize=(size + 1, size))
    axes.set(xlim=(-0.5, len(labels) - 0.5), ylim=(len(labels) - 0.5, -0.5), aspect="equal")
    for i, j in np.ndindex(*counts.shape):
        if counts[i, j]:
            # Transparent, so that it is right on a dark page, too.
            corner = (j - 0.5, i - 0.5)
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=BLUE, alpha=shares[i, j], linewidth=0))
            color = "white" if shares[i, j] > 0.5 else INK
            font_size = 7 if len(labels) > 10 else 10
            axes.text(
                j, i, str(counts[i, j]), ha="center", va="center", color=color, fontsize=font_size
            )
    positions = range(len(labels))
    axes.set_xticks(positions, labels, rotation=90 if len(labels) > 6 else 0)
    axes.set_yticks(positions, labels)
    axes.set(xlabel="predicted", ylabel="true")
    axes.spines[:].set_visible(False)
    return to_svg(figure)


@styled
def plot_reliability(confidence: np.ndarray, hits: np.ndarray) -> str:
    """Accuracy by confidence in ten bins, and below it the number of rows of each bin.

    Args:
        confidence: float [n], probability of the most probable class.
        hits: bool [n], whether that class is the true one.
    """
    edges = np.linspace(0, 1, RELIABILITY_BINS + 1)
    bins = np.minimum((confidence * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    counts = np.bincount(bins, minlength=RELIABILITY_BINS)
    filled = counts > 0
    accuracy = np.bincount(bins, weights=hits, minlength=RELIABILITY_BINS)[filled] / counts[filled]
    mean = np.bincount(bins, weights=confidence, minlength=RELIABILITY_BINS)[filled]
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(4.2, 4.6), sharex=True, height_ratios=(3, 1)
    )
    top.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    top.plot(mean / counts[filled], accuracy, color=BLUE, marker="o")
    top.set(ylabel="accuracy", ylim=(0, 1.02), xlim=(0, 1))
    bottom.bar(edges[:-1], counts, width=1 / RELIABILITY_BINS, align="edge", color=GREY)
    bottom.set(xlabel="confidence", ylabel="rows")
    return to_svg(figure)


@styled
def plot_novelty(quarters: list[dict[str, Any]]) -> str:
    """Accuracy of a linear model by similarity to the training texts, one bar per quarter.

    Args:
        quarters: those of `describe_novelty`.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 2.6))
    positions = range(len(quarters))
    heights = [quarter["accuracy"] for quarter in quarters]
    axes.bar(positions, heights, color=BLUE, width=0.7)
    for position, height in zip(positions, heights, strict=True):
        axes.text(position, height, f"{height:.2f}", ha="center", va="bottom", fontsize=8)
    bounds = [f"{quarter['low']:.2f}–{quarter['high']:.2f}" for quarter in quarters]
    axes.set_xticks(positions, bounds)
    axes.set(
        xlabel="similarity to the nearest training text", ylabel="accuracy (linear)", ylim=(0, 1.1)
    )
    return to_svg(figure)


@styled
def plot_precision_recall(probabilities: pd.DataFrame, true_labels: pd.Series) -> list[str]:
    """Precision-recall curves of all classes, one panel each.

    Args:
        probabilities: n rows, one column per label.
        true_labels: n true labels.
    """
    panels = []
    for label in probabilities.columns:
        figure, axes = plt.subplots(figsize=(2.1, 1.9))
        positive = (true_labels == label).to_numpy()
        precision, recall, _ = precision_recall_curve(positive, probabilities[label])
        average = average_precision_score(positive, probabilities[label])
        axes.step(recall, precision, where="post", color=BLUE)
        axes.axhline(positive.mean(), color=GREY, linestyle="--", linewidth=1)
        axes.set_title(f"{label}  AP {average:.2f}", fontsize=8)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.05), xlabel="recall", ylabel="precision")
        panels.append(to_svg(figure))
    return panels


@styled
def plot_classes(counts: dict[str, int]) -> str:
    """Number of rows of each class, on a logarithmic scale; of many classes, only by rank."""
    if has_many(list(counts)):
        return _plot_ranks(sorted(counts.values(), reverse=True))
    figure, axes = plt.subplots(figsize=(WIDTH, 0.6 + 0.22 * len(counts)))
    positions = range(len(counts))
    axes.barh(positions, list(counts.values()), color=BLUE)
    axes.set_yticks(positions, list(counts))
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlim(1, max(counts.values()) * 2)
    for position, count in zip(positions, counts.values(), strict=True):
        axes.text(count, position, f" {count}", va="center", fontsize=8)
    axes.set(xlabel="rows")
    return to_svg(figure)


def _plot_ranks(counts: list[int]) -> str:
    figure, axes = plt.subplots(figsize=(WIDTH, 3))
    axes.plot(range(1, len(counts) + 1), counts, color=BLUE)
    axes.set(yscale="log", xlabel="class, by number of rows", ylabel="rows")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlim(1, len(counts))
    return to_svg(figure)


@styled
def plot_worth(result: dict[str, Any]) -> str:
    """Macro-F1 by the share of each source, one panel each; the band is that of no such rows.

    Args:
        result: of `measure_worth`.
    """
    alone, sources = result["alone"]["macro_f1"], result["sources"]
    columns = min(PANELS_PER_ROW, len(sources))
    rows = -(-len(sources) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(1 + 3 * columns, 2.8 * rows), sharey=True, squeeze=False
    )
    for axes, (name, entry) in zip(grid.flat, sources.items(), strict=False):
        scores = [alone, *(point["measures"]["macro_f1"] for point in entry["curve"])]
        shares = [0, *(point["share"] for point in entry["curve"])]
        axes.axhspan(alone["low"], alone["high"], color=GREY, alpha=0.25, linewidth=0)
        for share, score in zip(shares[1:], scores[1:], strict=True):
            axes.plot([share, share], [score["low"], score["high"]], color=BLUE, linewidth=1)
        axes.plot(shares, [score["value"] for score in scores], color=BLUE, marker="o")
        axes.set(title=name, xlabel="share of its rows", xlim=(-0.05, 1.05))
    for axes in grid.flat[len(sources) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("macro-F1")
    figure.tight_layout()
    return to_svg(figure)


@styled
def plot_attacks(result: dict[str, Any]) -> str:
    """Macro-F1 under each attack with its interval; the band is that of the clean texts."""
    names, clean = list(result["attacks"]), result["clean"]["macro_f1"]
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.3 * len(names)))
    axes.axvspan(clean["low"], clean["high"], color=GREY, alpha=0.25, linewidth=0)
    axes.axvline(clean["value"], color=GREY, linestyle="--", linewidth=1, label="no attack")
    for position, name in enumerate(names):
        score = result["attacks"][name]["macro_f1"]
        axes.plot([score["low"], score["high"]], [position, position], color=BLUE)
        axes.plot([score["value"]], [position], color=BLUE, marker="o")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel="macro-F1", xlim=(0, 1.02))
    axes.legend(frameon=False, loc="lower left")
    return to_svg(figure)
