"""Maps of one value a region on views of the cortex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .style import method_color, method_name, styled
from .views import (
    BAR,
    HEMISPHERES,
    LINE,
    as_outlines,
    color_bar,
    color_scale,
    colormap,
    draw_view,
    of_largest,
    outline_legend,
    title_above,
    view_grid,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from ..cortex.surface import Cortex


@styled
def plot_cortex(
    values: ArrayLike,
    cortex: Cortex,
    *,
    views: Sequence[str] = HEMISPHERES,
    surface: str = "inflated",
    outlines: Mapping[str, ArrayLike] | ArrayLike | None = None,
    cmap=None,
    vmin: float | None = None,
    vmax: float | None = None,
    label: str = "",
    title: str | None = None,
    colorbar: bool = True,
    axes: Sequence[Axes] | None = None,
) -> tuple[Figure, NDArray]:
    """Draw a map of one value a region on several views of the cortex.

    Parameters
    ----------
    values : array of shape (n_regions,) or (n_vertices,)
        What to show, in the unit named by ``label``; NaN is drawn as bare cortex.
    cortex : Cortex
        Surface and parcels.
    views : sequence of str
        Of ``lh-lateral``, ``lh-medial``, ``rh-lateral``, ``rh-medial``, ``dorsal``,
        ``ventral``, ``posterior``, ``anterior``.
    surface : {"inflated", "pial"}
        Inflated shows what hides in the sulci.
    outlines : mapping of name to region indices | region indices | None
        Sets of regions whose border is drawn: the truth, a Brodmann area.
    cmap : str | Colormap | None
    vmin, vmax : float | None
        Default of the three: gray to dark red from 0, or blue-gray-red around 0 for
        signed data.
    label : str
        Text of the color bar.
    title : str | None
        Text of the figure.
    colorbar : bool
        Whether to draw it (never when ``axes`` are given).
    axes : sequence of matplotlib Axes | None
        One for each view; default a new figure with one row.

    Returns
    -------
    fig, axes : Figure and array of Axes
    """
    outlines = as_outlines(outlines)
    cmap, norm = color_scale(values, cmap, vmin, vmax)
    if axes is None:
        lines = 1 + bool(title) + any(outlines)
        fig, row = view_grid(cortex, surface, views, 1, height=lines * LINE)
        row = np.ravel(row)
    else:
        row = np.ravel(np.asarray(axes))
    for ax, view in zip(row, views, strict=True):
        draw_view(ax, values, cortex, view, surface, cmap, norm, outlines)
    if axes is not None:
        return row[0].figure, row
    _name_views(row, views)
    if colorbar:
        color_bar(fig, row, cmap, norm, label, shrink=0.75)
    title_above(fig, title)
    outline_legend(fig, outlines)
    return fig, row


@styled
def plot_methods(
    maps: Mapping[str, ArrayLike],
    cortex: Cortex,
    *,
    views: Sequence[str] = HEMISPHERES,
    surface: str = "inflated",
    outlines: Mapping[str, ArrayLike] | ArrayLike | None = None,
    title: str | None = None,
    own_outlines: bool = False,
) -> tuple[Figure, NDArray]:
    """Compare the maps of several methods, one row each.

    Each map is divided by its own largest magnitude, because the methods have
    different units (the network's output has none); only shapes are compared.

    Parameters
    ----------
    maps : mapping of method name to array of shape (n_regions,)
        Names as ``"deepsif"``, ``"sloreta"``, ``"lcmv"``, ``"truth"`` or any text.
    cortex, views, surface, outlines, title
        As :func:`plot_cortex`.
    own_outlines : bool
        Whether a row has the outline of its own name alone, instead of all of them.

    Returns
    -------
    fig, axes : Figure and array of Axes of shape (n_methods, n_views)
    """
    from matplotlib.colors import Normalize

    outlines = as_outlines(outlines)
    named = {} if own_outlines else outlines  # what a legend names
    lines = 1 + bool(title) + any(named)  # the first names the views
    beside = {"width": BAR + LINE, "height": lines * LINE}
    fig, axes = view_grid(cortex, surface, views, len(maps), **beside)
    cmap, norm = colormap("sequential"), Normalize(0, 1, clip=True)
    for row, (method, values) in zip(axes, maps.items(), strict=True):
        values = of_largest(values)
        drawn = {method: outlines[method]} if own_outlines else outlines
        for ax, view in zip(row, views, strict=True):
            draw_view(ax, values, cortex, view, surface, cmap, norm, drawn)
        row[0].text(
            -0.04,
            0.5,
            method_name(method).replace(", ", ",\n"),
            transform=row[0].transAxes,
            rotation=90,
            ha="right",  # beside the view, however many lines
            va="center",
            weight="bold",
            color=method_color(method),
        )
    _name_views(axes[0], views)
    color_bar(fig, axes, cmap, norm, "magnitude / its largest", min(1, 1.5 / len(maps)))
    title_above(fig, title)
    outline_legend(fig, named)
    return fig, axes


@styled
def plot_maps(
    maps: Mapping[str, tuple[ArrayLike, str]],
    cortex: Cortex,
    *,
    views: Sequence[str] = HEMISPHERES,
    limits: Mapping[str, tuple[float, float]] | None = None,
) -> tuple[Figure, NDArray]:
    """Draw several maps, one row and one scale each.

    Parameters
    ----------
    maps : mapping of name to (values, unit)
        Values of shape (n_regions,) or (n_vertices,); the unit labels the scale.
    cortex, views
        As :func:`plot_cortex`.
    limits : mapping of name to (vmin, vmax) | None
        Scale of a map; default as :func:`plot_cortex`.

    Returns
    -------
    fig, axes : Figure and array of Axes of shape (n_maps, n_views)
    """
    height = len(maps) * LINE
    fig, axes = view_grid(cortex, "inflated", views, len(maps), height=height)
    for row, (name, (values, unit)) in zip(axes, maps.items(), strict=True):
        cmap, norm = color_scale(values, None, *(limits or {}).get(name, (None, None)))
        for ax, view in zip(row, views, strict=True):
            draw_view(ax, values, cortex, view, "inflated", cmap, norm, {})
        row[0].set_title(name, fontsize=9)
        color_bar(fig, row, cmap, norm, unit, shrink=0.8)
    return fig, axes


def _name_views(axes: NDArray, views: Sequence[str]) -> None:
    for ax, view in zip(axes, views, strict=True):
        ax.set_title(view.replace("-", " "), fontsize=8, weight="normal", loc="center")
