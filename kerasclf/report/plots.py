"""The report's plots, each an SVG string."""

import io
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import average_precision_score, precision_recall_curve

BLUE, ORANGE, GREY = "#2a6fbb", "#d9822b", "#8a8f98"
RELIABILITY_BINS = 10
PANELS_A_ROW = 5
plt.rcParams.update(
    {
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.hashsalt": "kerasclf",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        # A label may hold a dollar sign.
        "text.parse_math": False,
    }
)


def _svg(figure: Figure) -> str:
    """The figure as SVG without a width, so that the page can scale it."""
    text = io.StringIO()
    figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    return text.getvalue()[text.getvalue().index("<svg") :]


def plot_history(history: list[dict[str, Any]]) -> str:
    """Training and validation loss, and validation macro-F1, by epoch."""
    epochs = [row["epoch"] for row in history]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
    left.plot(epochs, [row["loss"] for row in history], color=BLUE, marker=".", label="training")
    left.plot(
        epochs, [row["val_loss"] for row in history], color=ORANGE, marker=".", label="validation"
    )
    left.set(xlabel="epoch", ylabel="loss")
    left.legend(frameon=False)
    scores = [row["val_macro_f1"] for row in history]
    best = int(np.argmax(scores))
    right.plot(epochs, scores, color=ORANGE, marker=".")
    right.scatter([epochs[best]], [scores[best]], color=ORANGE, s=60, zorder=3, label="kept")
    right.set(xlabel="epoch", ylabel="validation macro-F1")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.tight_layout()
    return _svg(figure)


def plot_confusion(confusion: list[list[int]], labels: list[str]) -> str:
    """Confusion matrix: counts, shaded by the share of the true class."""
    counts = np.array(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 2.0 + 0.42 * len(labels)
    figure, axes = plt.subplots(figsize=(size + 1, size))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(*counts.shape):
        if counts[i, j]:
            color = "white" if shares[i, j] > 0.5 else "#333333"
            small = 7 if len(labels) > 10 else 10
            axes.text(j, i, counts[i, j], ha="center", va="center", color=color, fontsize=small)
    places = range(len(labels))
    axes.set_xticks(places, labels, rotation=90 if len(labels) > 6 else 0)
    axes.set_yticks(places, labels)
    axes.set(xlabel="predicted", ylabel="true")
    axes.spines[:].set_visible(False)
    return _svg(figure)


def plot_reliability(confidence: np.ndarray, hits: np.ndarray) -> str:
    """Accuracy by confidence, in ten bins, above the number of rows in each.

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
    return _svg(figure)


def plot_precision_recall(probabilities: pd.DataFrame, truth: pd.Series) -> str:
    """A precision-recall curve for each class, in small panels.

    Args:
        probabilities: n rows, a column for each label.
        truth: n true labels.
    """
    labels = list(probabilities.columns)
    across = min(PANELS_A_ROW, len(labels))
    down = -(-len(labels) // across)
    figure, grid = plt.subplots(
        down, across, figsize=(2 * across, 1.9 * down), sharex=True, sharey=True, squeeze=False
    )
    for axes, label in zip(grid.flat, labels, strict=False):
        positive = (truth == label).to_numpy()
        precision, recall, _ = precision_recall_curve(positive, probabilities[label])
        average = average_precision_score(positive, probabilities[label])
        axes.step(recall, precision, where="post", color=BLUE)
        axes.axhline(positive.mean(), color=GREY, linestyle="--", linewidth=1)
        axes.set_title(f"{label}  AP {average:.2f}", fontsize=8)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.05))
    for axes in grid.flat[len(labels) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("precision")
    for column in range(across):
        lowest = max(i for i in range(down) if i * across + column < len(labels))
        grid[lowest, column].set_xlabel("recall")
        grid[lowest, column].tick_params(labelbottom=True)
    figure.tight_layout()
    return _svg(figure)


def plot_classes(counts: dict[str, int]) -> str:
    """Rows of each class, on a logarithmic scale."""
    figure, axes = plt.subplots(figsize=(6, 0.6 + 0.22 * len(counts)))
    places = range(len(counts))
    axes.barh(places, list(counts.values()), color=BLUE)
    axes.set_yticks(places, list(counts))
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(1, max(counts.values()) * 2)
    for place, count in zip(places, counts.values(), strict=True):
        axes.text(count, place, f" {count}", va="center", fontsize=8)
    axes.set(xlabel="rows")
    return _svg(figure)


def plot_attacks(result: dict[str, Any]) -> str:
    """Macro-F1 under each attack with its interval; the band is that of the texts as they are."""
    names, clean = list(result["attacks"]), result["clean"]["macro_f1"]
    figure, axes = plt.subplots(figsize=(6, 0.9 + 0.3 * len(names)))
    axes.axvspan(clean["low"], clean["high"], color=GREY, alpha=0.25, linewidth=0)
    axes.axvline(clean["value"], color=GREY, linestyle="--", linewidth=1, label="no attack")
    for place, name in enumerate(names):
        score = result["attacks"][name]["macro_f1"]
        axes.plot([score["low"], score["high"]], [place, place], color=BLUE)
        axes.plot([score["value"]], [place], color=BLUE, marker="o")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel="macro-F1", xlim=(0, 1.02))
    axes.legend(frameon=False, loc="lower left")
    return _svg(figure)
