"""Maps of one value a region on views of the cortex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import SignalError, check_option
from .raster import rasterize
from .style import WIDTH, method_color, method_name, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from ..cortex.surface import Cortex

# Colors of the outlines of true sources, in order.
OUTLINE_COLORS = ("#009E73", "#0072B2", "#CC79A7", "#000000")
# Views of a cortex map: both sides of both hemispheres.
HEMISPHERES = ("lh-lateral", "lh-medial", "rh-medial", "rh-lateral")
# Views of a cortex map: both sides of both hemispheres, and from below.
FIVE_VIEWS = (*HEMISPHERES, "ventral")
_NO_DATA = (0.86, 0.86, 0.86)
_LARGEST_VIEW = 2.0  # inches; a figure of few views is narrower than the column
_BAR = 0.65  # inches that a color bar with its label takes
_LINE = 0.25  # inches of a line of text: a title, a legend, the names of the views


def colormap(kind: str = "sequential"):
    """Return the color map of cortex maps; zero is the gray of the bare cortex.

    Parameters
    ----------
    kind : {"sequential", "diverging"}
        Sequential for magnitudes, diverging for signed values.
    """
    from matplotlib.colors import LinearSegmentedColormap

    colors = {
        "sequential": ["#dcdcdc", "#fbe3a0", "#f9a03f", "#d94801", "#7f0000"],
        "diverging": ["#08306b", "#4292c6", "#dcdcdc", "#f16913", "#7f2704"],
    }
    check_option("kind", kind, colors)
    return LinearSegmentedColormap.from_list(f"cortex-{kind}", colors[kind], N=256)


def _per_vertex(values: ArrayLike, cortex: Cortex) -> NDArray:
    """Spread one value a region (or a vertex) over the vertices; NaN elsewhere."""
    values = np.asarray(values, float).ravel()
    region = np.asarray(cortex.region_of_vertex)
    if len(values) == len(region):
        return values
    if len(values) != cortex.n_regions:
        msg = (
            f"values has {len(values)} entries; the cortex has {cortex.n_regions} "
            f"regions and {len(region)} vertices."
        )
        raise SignalError(msg)
    return np.where(region >= 0, values[region], np.nan)


def _draw_view(ax, values, cortex, view, surface, cmap, norm, outlines) -> None:
    raster = rasterize(cortex, surface, view)
    hit = raster.vertex >= 0
    value = np.where(hit, _per_vertex(values, cortex)[raster.vertex], np.nan)
    color = cmap(norm(np.nan_to_num(value)))[..., :3]
    color[np.isnan(value)] = _NO_DATA
    image = np.dstack([color * raster.shade[..., None], hit.astype(float)])
    left, right, bottom, top = raster.extent
    ax.imshow(image, origin="lower", extent=raster.extent, interpolation="antialiased")
    region = np.asarray(cortex.region_of_vertex)[raster.vertex]
    for (_, regions), line in zip(outlines.items(), _outline_lines(), strict=False):
        member = hit & np.isin(region, np.asarray(regions, int))
        if member.any():
            ax.contour(
                member.astype(float),
                levels=[0.5],
                colors=[line],
                linewidths=1.5,
                extent=(left, right, bottom, top),
                origin="lower",
            )
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    ax.axis("off")


def _view_grid(
    cortex: Cortex,
    surface: str,
    views: Sequence[str],
    n_rows: int,
    *,
    width: float = _BAR,
    height: float = 0.0,
) -> tuple[Figure, NDArray]:
    """Make axes for rows of views that all have one scale.

    ``width`` and ``height`` are inches that things beside the views take; the whole is
    at most as wide as a column of the book.
    """
    import matplotlib.pyplot as plt

    extents = np.array([rasterize(cortex, surface, view).extent for view in views])
    wide, high = extents[:, 1] - extents[:, 0], extents[:, 3] - extents[:, 2]
    scale = min((WIDTH - width) / wide.sum(), _LARGEST_VIEW / wide.max())
    return plt.subplots(
        n_rows,
        len(views),
        figsize=(scale * wide.sum() + width, n_rows * scale * high.max() + height),
        width_ratios=wide,
        layout="constrained",
        squeeze=False,
    )


def _title(fig: Figure, text: str | None) -> None:
    if text:
        fig.suptitle(text, fontsize=10, weight="bold", x=0.01, ha="left")


def _outline_lines():
    while True:
        yield from OUTLINE_COLORS


def _as_outlines(outlines) -> dict:
    if outlines is None:
        return {}
    if hasattr(outlines, "items"):
        return {str(name): np.asarray(regions) for name, regions in outlines.items()}
    return {"": np.asarray(outlines)}


def _scale(values: ArrayLike, cmap, vmin, vmax):
    """Color map and norm that fit the values: signed data gets a centered scale."""
    from matplotlib.colors import Normalize

    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    signed = finite.size > 0 and finite.min() < 0
    peak = float(np.abs(finite).max()) if finite.size else 1.0
    vmax = (peak or 1.0) if vmax is None else vmax
    vmin = (-vmax if signed else 0.0) if vmin is None else vmin
    if cmap is None:
        cmap = colormap("diverging" if vmin < 0 else "sequential")
    elif isinstance(cmap, str):
        import matplotlib

        cmap = matplotlib.colormaps[cmap]
    return cmap, Normalize(vmin, vmax, clip=True)


def _outline_legend(fig: Figure, outlines: dict) -> None:
    from matplotlib.lines import Line2D

    named = [
        Line2D([], [], color=line, lw=1.8, label=name)
        for (name, _), line in zip(outlines.items(), _outline_lines(), strict=False)
        if name
    ]
    if named:
        fig.legend(handles=named, ncols=len(named), loc="outside lower center")


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
    outlines = _as_outlines(outlines)
    cmap, norm = _scale(values, cmap, vmin, vmax)
    if axes is None:
        lines = 1 + bool(title) + any(outlines)
        fig, row = _view_grid(cortex, surface, views, 1, height=lines * _LINE)
        row = np.ravel(row)
    else:
        row = np.ravel(np.asarray(axes))
    for ax, view in zip(row, views, strict=True):
        _draw_view(ax, values, cortex, view, surface, cmap, norm, outlines)
    if axes is not None:
        return row[0].figure, row
    for ax, view in zip(row, views, strict=True):
        ax.set_title(view.replace("-", " "), fontsize=8, weight="normal", loc="center")
    if colorbar:
        _color_bar(fig, row, cmap, norm, label, shrink=0.75)
    _title(fig, title)
    _outline_legend(fig, outlines)
    return fig, row


def _color_bar(fig: Figure, axes: NDArray, cmap, norm, label: str, shrink: float):
    from matplotlib.cm import ScalarMappable

    mappable = ScalarMappable(norm, cmap)
    fig.colorbar(mappable, ax=list(axes.flat), shrink=shrink, pad=0.01, label=label)


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

    outlines = _as_outlines(outlines)
    named = {} if own_outlines else outlines  # what a legend names
    lines = bool(title) + any(named)
    beside = {"width": _BAR + _LINE, "height": lines * _LINE}
    fig, axes = _view_grid(cortex, surface, views, len(maps), **beside)
    cmap, norm = colormap("sequential"), Normalize(0, 1, clip=True)
    for row, (method, values) in zip(axes, maps.items(), strict=True):
        values = np.abs(np.asarray(values, float))
        peak = np.nanmax(values, initial=0.0)
        values = values / peak if peak > 0 else values
        drawn = {method: outlines[method]} if own_outlines else outlines
        for ax, view in zip(row, views, strict=True):
            _draw_view(ax, values, cortex, view, surface, cmap, norm, drawn)
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
    _color_bar(
        fig, axes, cmap, norm, "magnitude / its largest", min(1, 1.5 / len(maps))
    )
    _title(fig, title)
    _outline_legend(fig, named)
    return fig, axes


@styled
def plot_maps(
    maps: Mapping[str, tuple[ArrayLike, str]],
    cortex: Cortex,
    *,
    views: Sequence[str] = HEMISPHERES,
    surface: str = "inflated",
    limits: Mapping[str, tuple[float, float]] | None = None,
) -> tuple[Figure, NDArray]:
    """Draw several maps, one row and one scale each.

    Parameters
    ----------
    maps : mapping of name to (values, unit)
        Values of shape (n_regions,) or (n_vertices,); the unit labels the scale.
    cortex, views, surface
        As :func:`plot_cortex`.
    limits : mapping of name to (vmin, vmax) | None
        Scale of a map; default as :func:`plot_cortex`.

    Returns
    -------
    fig, axes : Figure and array of Axes of shape (n_maps, n_views)
    """
    height = len(maps) * _LINE
    fig, axes = _view_grid(cortex, surface, views, len(maps), height=height)
    for row, (name, (values, unit)) in zip(axes, maps.items(), strict=True):
        cmap, norm = _scale(values, None, *(limits or {}).get(name, (None, None)))
        for ax, view in zip(row, views, strict=True):
            _draw_view(ax, values, cortex, view, surface, cmap, norm, {})
        row[0].set_title(name, fontsize=9)
        _color_bar(fig, row, cmap, norm, unit, shrink=0.8)
    return fig, axes
