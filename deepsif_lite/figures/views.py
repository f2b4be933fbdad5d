"""One view of the cortex in an axis, and what stands around it: the parts of maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import SignalError, check_option
from .raster import rasterize
from .style import WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from ..cortex.surface import Cortex

# Colors of the outlines of true sources, in order.
OUTLINE_COLORS = ("#009E73", "#0072B2", "#CC79A7", "#000000")
# Views of a cortex map: both sides of both hemispheres.
HEMISPHERES = ("lh-lateral", "lh-medial", "rh-medial", "rh-lateral")
_NO_DATA = (0.86, 0.86, 0.86)
_LARGEST_VIEW = 2.0  # inches; a figure of few views is narrower than the column
BAR = 0.65  # inches that a color bar with its label takes
LINE = 0.25  # inches of a line of text: a title, a legend, the names of the views


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


def draw_view(ax, values, cortex, view, surface, cmap, norm, outlines) -> None:
    """Draw a map on one view of a surface, with the borders of sets of regions.

    Parameters
    ----------
    ax : Axes
    values, cortex
        As of :func:`deepsif_lite.figures.plot_cortex`.
    view : str
        One of its views.
    surface : {"inflated", "pial"}
    cmap, norm
        As of :func:`color_scale`.
    outlines : dict of str to array of int
    """
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


def view_grid(
    cortex: Cortex,
    surface: str,
    views: Sequence[str],
    n_rows: int,
    *,
    width: float = BAR,
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


def title_above(fig: Figure, text: str | None) -> None:
    """Write the title of a figure, where there is one."""
    if text:
        fig.suptitle(text, fontsize=10, weight="bold", x=0.01, ha="left")


def _outline_lines():
    while True:
        yield from OUTLINE_COLORS


def as_outlines(outlines) -> dict:
    """Return sets of regions by name; a single set has an empty one."""
    if outlines is None:
        return {}
    if hasattr(outlines, "items"):
        return {str(name): np.asarray(regions) for name, regions in outlines.items()}
    return {"": np.asarray(outlines)}


def of_largest(values: ArrayLike) -> NDArray:
    """Return magnitudes as shares of the largest; zeros stay zero."""
    magnitudes = np.abs(np.asarray(values, float))
    peak = np.nanmax(magnitudes, initial=0.0)
    return magnitudes / peak if peak > 0 else magnitudes


def color_scale(values: ArrayLike, cmap, vmin, vmax):
    """Return color map and norm that fit the values: signed data gets a centered scale."""
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


def outline_legend(fig: Figure, outlines: dict) -> None:
    """Name the outlines of a figure below it."""
    from matplotlib.lines import Line2D

    named = [
        Line2D([], [], color=line, lw=1.8, label=name)
        for (name, _), line in zip(outlines.items(), _outline_lines(), strict=False)
        if name
    ]
    if named:
        fig.legend(handles=named, ncols=len(named), loc="outside lower center")


def color_bar(fig: Figure, axes: NDArray, cmap, norm, label: str, shrink: float):
    """Draw the color bar of some axes beside them."""
    from matplotlib.cm import ScalarMappable

    mappable = ScalarMappable(norm, cmap)
    fig.colorbar(mappable, ax=list(axes.flat), shrink=shrink, pad=0.01, label=label)
