"""Plot of a benchmark: latency against size."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from kerasclf.files import write_text
from kerasclf.report.style import BLUE, styled, to_svg


@styled
def plot_benchmark(measured: list[dict[str, Any]], path: Path) -> None:
    """Writes an SVG of median latency against size, with bars up to the 95th percentile.

    Args:
        measured: measurements of `export.litert.measure.measure`.
        path: of the file.
    """
    figure, axes = plt.subplots(figsize=(7, 4))
    for row in measured:
        size, low = row["bytes"] / 1e6, row["p50_ms"]
        bar = [[0], [row["p95_ms"] - low]]
        axes.errorbar([size], [low], yerr=bar, marker="o", capsize=3, color=BLUE)
        label = f"{Path(row['file']).stem}, {row['threads']} thread(s)"
        axes.annotate(label, (size, low), (6, 4), textcoords="offset points", fontsize=8)
    axes.set(xlabel="size in MB", ylabel="latency in ms, median to 95th percentile")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    write_text(path, to_svg(figure))
