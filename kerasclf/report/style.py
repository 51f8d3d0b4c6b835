"""The palette, the style and the SVG output of all plots."""

import io
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

# Plots are only ever written as SVG: no display is needed.
matplotlib.use("svg")

BLUE, ORANGE, GREY = "#2a6fbb", "#d9822b", "#8a8f98"
INK, PAPER = "#1d2329", "#fefefe"
"""Of text and axes, and behind text: in an SVG, the colors of the page around it."""
STYLE: dict[Any, Any] = {
    "font.size": 9,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK
    ),
    "savefig.transparent": True,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "kerasclf",
    "svg.fonttype": "none",
    # A label may contain a dollar sign.
    "text.parse_math": False,
}
P = ParamSpec("P")
T = TypeVar("T")


def styled(plot: Callable[P, T]) -> Callable[P, T]:
    """Decorates a function that draws and writes a figure: it does so in `STYLE`."""

    @wraps(plot)
    def plot_in_style(*args: P.args, **kwargs: P.kwargs) -> T:
        with plt.rc_context(STYLE):
            return plot(*args, **kwargs)

    return plot_in_style


def to_svg(figure: Figure) -> str:
    """The figure as an SVG element, to be inlined into HTML or written to a file; closes it."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    return svg.replace(INK, "currentColor").replace(PAPER, "var(--page, #fff)")
