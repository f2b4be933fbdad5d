"""Colors, names and matplotlib settings that hold for the whole book."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from ..solvers.methods import METHODS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Color of each method, the same in every figure.
METHOD_COLORS = {"truth": "#1b1b1b", "known head": "#3D1F00"} | {
    m.name: m.color for m in METHODS.values()
}
# Printed name of each method.
METHOD_NAMES = {"truth": "Truth", "known head": "DeepSIF, known head"} | {
    m.name: m.label for m in METHODS.values()
}
# Color of the paper's own values.
PAPER_COLOR = "#6c6c6c"
WIDTH = 6.7
"""Inches of a column of the book: a figure as wide keeps its lettering's size."""

_TICKS = 12
"""Decades of a logarithmic axis beyond which some have no number."""

# Curves that stand for no method have the methods' colors, too.
_CYCLE = (
    *(method.color for method in METHODS.values()),
    METHOD_COLORS["known head"],
    METHOD_COLORS["truth"],
)
# Settings of matplotlib for every figure of the book.
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "axes.labelsize": 9,
    "axes.prop_cycle": f"cycler(color={list(dict.fromkeys(_CYCLE))})",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.dpi": 200,
    "figure.facecolor": "white",
    "font.size": 9,
    "grid.alpha": 0.35,
    "grid.color": "#bbbbbb",
    "grid.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "savefig.bbox": "tight",
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


def use_style() -> None:
    """Make the book's style the default of matplotlib (call once in a notebook)."""
    import matplotlib.pyplot as plt

    plt.rcParams.update(STYLE)


def styled(function):
    """Draw inside the book's style without touching the caller's settings."""

    @wraps(function)
    def wrapper(*args, **kwargs):
        import matplotlib.pyplot as plt

        with plt.rc_context(STYLE):
            return function(*args, **kwargs)

    return wrapper


def check_ax(ax: Axes | None, figsize: tuple[float, float]) -> tuple[Figure, Axes]:
    """Return where to draw: the axes given, or those of a new figure.

    Parameters
    ----------
    ax : Axes | None
    figsize : tuple of float
        Width and height of a new figure, inches.
    """
    import matplotlib.pyplot as plt

    if ax is None:
        return plt.subplots(figsize=figsize, layout="constrained")
    return ax.figure, ax


def log_scale(ax: Axes, which: str, at: tuple[int, ...] = (1, 3)) -> None:
    """Make an axis logarithmic, ``"x"`` or ``"y"``, with plain numbers on it.

    Several numbers a decade, for an error of millimeters often spans no more than one.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    getattr(ax, f"set_{which}scale")("log")
    axis = getattr(ax, f"{which}axis")
    axis.set_major_locator(LogLocator(subs=at, numticks=_TICKS))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def plain_text(text: str) -> str:
    """Return text as matplotlib shows it letter by letter: ``$`` starts no formula."""
    return text.replace("$", r"\$")


def method_color(method: str) -> str:
    """Return the fixed color of a method, for example ``"sloreta"``."""
    return METHOD_COLORS.get(method.lower(), PAPER_COLOR)


def method_name(method: str) -> str:
    """Return the printed name of a method: ``"sloreta"`` gives ``"sLORETA"``."""
    return METHOD_NAMES.get(method.lower(), method)
