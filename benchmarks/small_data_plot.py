"""The plot of `benchmarks.small_data`."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd

from kerasclf.files import replacing
from kerasclf.report.style import BLUE, GREY, ORANGE, styled

COLORS = {"TF-IDF": GREY, "default": BLUE, "teacher": "#6b4fa0", "student": ORANGE}
"""Of the models whose quality is shown by labelled rows."""
LABELS = {"linear part alone": "linear"}


@styled
def plot_results(results: Sequence[dict[str, Any]], path: Path) -> None:
    """Draws macro-F1 against labelled rows, and against the size of the file.

    Args:
        results: what `benchmarks.small_data` measured.
        path: PNG to write; whole or not at all.
    """
    frame = pd.DataFrame(results)
    frame["test"] = [mean(values) for values in frame["test"]]
    frame["rows"] = frame["rows"].astype(int)
    names = frame["data"].unique()
    figure, panels = plt.subplots(
        2, len(names), figsize=(2.6 * len(names) + 0.6, 5), sharey="col", squeeze=False
    )
    for name, (above, below) in zip(names, panels.T, strict=True):
        of_data = frame[frame["data"] == name]
        for model, color in COLORS.items():
            rows = of_data[of_data["model"] == ("default" if model == "TF-IDF" else model)]
            values = rows["baseline" if model == "TF-IDF" else "test"]
            above.plot(rows["rows"], values, color=color, marker="o", label=model)
        above.set(title=name, xlabel="labelled rows", xscale="log")
        above.set_xticks(of_data["rows"].unique(), of_data["rows"].unique(), minor=False)
        above.minorticks_off()
        fewest = of_data[(of_data["rows"] == of_data["rows"].min()) & of_data["bytes"].notna()]
        for model, size, value in fewest[["model", "bytes", "test"]].itertuples(index=False):
            below.scatter(size / 1e6, value, color=COLORS.get(model, GREY))
            below.annotate(
                LABELS.get(model, model),
                (size / 1e6, value),
                xytext=(-4, 4),
                textcoords="offset points",
                ha="right" if size > 5e5 else "left",
            )
        below.set(xlabel=f"MB, {of_data['rows'].min()} labelled rows", xlim=(0, 1.1))
    for first in panels[:, 0]:
        first.set_ylabel("macro-F1")
    panels[0, 0].legend(frameon=False)
    figure.tight_layout()
    with replacing(path) as beside:
        figure.savefig(beside, dpi=150, transparent=False, format="png")
    plt.close(figure)
