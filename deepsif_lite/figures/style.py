"""Colors, names and matplotlib settings that hold for the whole book."""

from __future__ import annotations

from functools import wraps

METHOD_COLORS = {
    "truth": "#1b1b1b",
    "deepsif": "#D55E00",
    "sloreta": "#0072B2",
    "lcmv": "#009E73",
    "cmem": "#CC79A7",
    "fast-ires": "#E69F00",
}
METHOD_NAMES = {
    "truth": "Truth",
    "deepsif": "DeepSIF",
    "sloreta": "sLORETA",
    "lcmv": "LCMV",
    "cmem": "CMEM",
    "fast-ires": "FAST-IRES",
}
PAPER_COLOR = "#6c6c6c"
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "axes.labelsize": 9,
    "axes.prop_cycle": None,  # filled in by _rc
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.dpi": 110,
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


def _rc() -> dict:
    from cycler import cycler

    order = ("deepsif", "sloreta", "lcmv", "cmem", "fast-ires", "truth")
    return STYLE | {
        "axes.prop_cycle": cycler(color=[METHOD_COLORS[name] for name in order])
    }


def use_style() -> None:
    """Make the book's style the default of matplotlib (call once in a notebook)."""
    import matplotlib.pyplot as plt

    plt.rcParams.update(_rc())


def styled(function):
    """Draw inside the book's style without touching the caller's settings."""

    @wraps(function)
    def wrapper(*args, **kwargs):
        import matplotlib.pyplot as plt

        with plt.rc_context(_rc()):
            return function(*args, **kwargs)

    return wrapper


def method_color(method: str) -> str:
    """Return the fixed color of a method, for example ``"sloreta"``."""
    return METHOD_COLORS.get(method.lower(), PAPER_COLOR)


def method_name(method: str) -> str:
    """Return the printed name of a method: ``"sloreta"`` gives ``"sLORETA"``."""
    return METHOD_NAMES.get(method.lower(), method)
