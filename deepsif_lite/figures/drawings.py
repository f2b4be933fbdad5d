"""What is drawn, not measured: definitions of scores, and how a source grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .style import WIDTH, method_color, styled
from .views import color_scale, draw_view

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..cortex.surface import Cortex

_TRUE = ((0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (1, 2))
_FOUND = ((1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (3, 1), (4, 1), (1, 2))
_MARGIN = 15.0  # mm around a source
_ONLY_TRUE, _BOTH = "#9ecae1", "#4d4d4d"


def _center(cell: tuple[int, int]) -> tuple[float, float]:
    """Return the middle of a cell of a honeycomb."""
    column, row = cell
    return column + row / 2, row * np.sqrt(3) / 2


def _honeycomb(ax: Axes) -> None:
    """Draw the regions of a source and those of an estimate."""
    from matplotlib.patches import RegularPolygon

    found = method_color("deepsif")
    for column in range(-1, 6):
        for row in range(-1, 4):
            cell = (column, row)
            color = "#f2f2f2"
            if cell in _TRUE:
                color = _BOTH if cell in _FOUND else _ONLY_TRUE
            elif cell in _FOUND:
                color = found
            ax.add_patch(
                RegularPolygon(_center(cell), 6, radius=0.577, fc=color, ec="white")
            )
    ax.set(xlim=(-0.9, 6.1), ylim=(-1.3, 3.1), aspect="equal")
    ax.axis("off")


@styled
def plot_definitions() -> tuple[Figure, NDArray]:
    """Draw what precision, recall and localization error measure (PNAS Fig. 3A).

    Returns
    -------
    fig, axes : Figure and array of Axes
        Each cell is a region of the cortex.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    hit = sum(cell in _TRUE for cell in _FOUND)
    fig, axes = plt.subplots(1, 3, figsize=(WIDTH, 2.3), layout="constrained")
    titles = (
        f"precision = {hit} / {len(_FOUND)}",
        f"recall = {hit} / {len(_TRUE)}",
        "localization error",
    )
    texts = (
        "hits of all regions found",
        "hits of all true regions",
        "mean length of the arrows; 0 for a hit",
    )
    for ax, title, text in zip(axes, titles, texts, strict=True):
        _honeycomb(ax)
        ax.set_title(title)
        ax.text(2.6, -1.25, text, ha="center", va="center", fontsize=8)
    for cell in set(_FOUND) - set(_TRUE):
        true = np.array([_center(each) for each in _TRUE])
        start = np.array(_center(cell))
        end = true[np.linalg.norm(true - start, axis=1).argmin()]
        arrow = {"arrowstyle": "->", "lw": 1.4, "color": "black"}
        axes[2].annotate("", end, start, arrowprops=arrow)
    handles = [
        Patch(color=_ONLY_TRUE, label="true, not found"),
        Patch(color=_BOTH, label="true and found (a hit)"),
        Patch(color=method_color("deepsif"), label="found, not true"),
    ]
    fig.legend(handles=handles, ncols=3, loc="outside lower center")
    return fig, axes


@styled
def plot_growth(
    steps: dict[str, NDArray],
    cortex: Cortex,
    *,
    view: str = "lh-lateral",
) -> tuple[Figure, NDArray]:
    """Show how a source grows, step by step (PNAS SI Fig. S2).

    Parameters
    ----------
    steps : mapping of name to array of shape (n_regions,)
        Strength of each region after each step, 0 to 1.
    cortex : Cortex
    view : str
        As of :func:`deepsif_lite.figures.plot_cortex`; the part around the last step
        is shown.

    Returns
    -------
    fig, axes : Figure and array of Axes
    """
    import matplotlib.pyplot as plt

    from .raster import rasterize

    cmap, norm = color_scale([0, 1], None, 0, 1)
    fig, axes = plt.subplots(
        1, len(steps), figsize=(WIDTH, 1.9), layout="constrained", squeeze=False
    )
    axes = axes[0]
    raster = rasterize(cortex, "inflated", view)
    region = np.asarray(cortex.region_of_vertex)[raster.vertex]
    last = np.flatnonzero(list(steps.values())[-1])
    rows, columns = np.nonzero((raster.vertex >= 0) & np.isin(region, last))
    left, right, bottom, top = raster.extent
    x = left + (right - left) * columns / region.shape[1]
    y = bottom + (top - bottom) * rows / region.shape[0]
    half = max(np.ptp(x), np.ptp(y)) / 2 + _MARGIN
    for ax, (name, values) in zip(axes, steps.items(), strict=True):
        outlines = {name: np.flatnonzero(values)}
        draw_view(ax, values, cortex, view, "inflated", cmap, norm, outlines)
        ax.set_xlim(x.min() / 2 + x.max() / 2 - half, x.min() / 2 + x.max() / 2 + half)
        ax.set_ylim(y.min() / 2 + y.max() / 2 - half, y.min() / 2 + y.max() / 2 + half)
        ax.set_title(name, fontsize=8, weight="normal")
    return fig, axes
