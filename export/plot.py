"""Plot of a benchmark: size against latency."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from kerasclf.files import replacing


def plot_benchmark(measured: list[dict[str, Any]], path: Path) -> None:
    """Writes an SVG: median latency against size, a bar up to the 95th percentile."""
    figure, axes = plt.subplots(figsize=(7, 4))
    for row in measured:
        size, low = row["bytes"] / 1e6, row["p50_ms"]
        bar = [[0], [row["p95_ms"] - low]]
        axes.errorbar([size], [low], yerr=bar, marker="o", capsize=3, color="#2a6fbb")
        label = f"{Path(row['file']).stem}, {row['threads']} thread(s)"
        axes.annotate(label, (size, low), (6, 4), textcoords="offset points", fontsize=8)
    axes.set(xlabel="size in MB", ylabel="latency in ms, median to 95th percentile")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as beside:
        figure.savefig(beside, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
