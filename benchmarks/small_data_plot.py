"""The plot of `benchmarks.small_data`."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from kerasclf.files import replacing
from kerasclf.report.style import BLUE, GREY, ORANGE, styled

BASELINE = "TF-IDF"
COLORS = {
    BASELINE: GREY,
    "linear part alone": "#3c8d5a",
    "default": BLUE,
    "teacher": "#6b4fa0",
    "student without the pile": ORANGE,
    "student": ORANGE,
}
HOLLOW = "student without the pile"


@styled
def plot_results(results: Sequence[dict[str, Any]], path: Path) -> None:
    """Draws macro-F1 against the size of the file and, of several numbers of rows, against them.

    Args:
        results: what `benchmarks.small_data` measured.
        path: PNG to write; whole or not at all.
    """
    frame = pd.DataFrame(results)
    frame["test"] = [mean(values) for values in frame["test"]]
    frame["rows"] = frame["rows"].astype(int)
    names = frame["data"].unique()
    has_sizes = frame["rows"].nunique() > 1
    height = 1 + has_sizes
    figure, panels = plt.subplots(
        height, len(names), figsize=(2.6 * len(names) + 0.6, 2.7 * height), squeeze=False
    )
    for name, of_name in zip(names, panels.T, strict=True):
        of_data = frame[frame["data"] == name]
        _plot_sizes(of_name[-1], of_data[of_data["rows"] == of_data["rows"].min()])
        if has_sizes:
            _plot_rows(of_name[0], of_data)
        of_name[0].set_title(name)
    for first in panels[:, 0]:
        first.set_ylabel("macro-F1")
    handles = [
        Line2D([], [], color=color, marker="o", markerfacecolor=_fill(model), label=model)
        for model, color in COLORS.items()
        if model in {BASELINE, *frame["model"]}
    ]
    figure.legend(handles=handles, loc="upper center", ncols=len(handles), frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.3 / figure.get_figheight()))
    with replacing(path) as beside:
        figure.savefig(beside, dpi=150, transparent=False, format="png")
    plt.close(figure)


def _fill(model: str) -> str:
    return "white" if model == HOLLOW else COLORS[model]


def _plot_rows(axes: Axes, of_data: pd.DataFrame) -> None:
    """Macro-F1 against labelled rows."""
    for model, color in COLORS.items():
        rows = of_data[of_data["model"] == ("default" if model == BASELINE else model)]
        values = rows["baseline" if model == BASELINE else "test"]
        axes.plot(rows["rows"], values, color=color, marker="o", markerfacecolor=_fill(model))
    axes.set(xlabel="labelled rows", xscale="log")
    axes.set_xticks(of_data["rows"].unique(), of_data["rows"].unique(), minor=False)
    axes.minorticks_off()


def _plot_sizes(axes: Axes, of_rows: pd.DataFrame) -> None:
    """Macro-F1 against the size of the .tflite, and lines for what has none."""
    axes.axhline(of_rows["baseline"].iloc[0], color=GREY, linestyle="--")
    for model, size, value in of_rows[["model", "bytes", "test"]].itertuples(index=False):
        if pd.isna(size):
            axes.axhline(value, color=COLORS[model], linestyle="--")
        else:
            axes.plot(
                size / 1e6, value, color=COLORS[model], marker="o", markerfacecolor=_fill(model)
            )
    axes.set(xlabel=f"MB, {of_rows['rows'].iloc[0]} labelled rows", xlim=(0, None))
    axes.margins(y=0.15)
