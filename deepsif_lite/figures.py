"""One function a figure: cortex maps, topographies, time courses, scores.

Every function returns ``(fig, ax)`` and never shows or saves anything. Colours are
fixed for the whole book (Okabe and Ito's colour-blind-safe set): a method keeps its
colour in every chapter.

Cortex maps are drawn by a small rasteriser of our own: each view is projected once
into a grid of pixels that remember their vertex and their shade (a z-buffer), and is
then coloured by table look-up. It draws a view in milliseconds after the first time
and keeps the borders of parcels sharp, which a 3-D scene in matplotlib does not.
"""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import mne
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from deepsif_lite.bem import Shells
    from deepsif_lite.cortex import Cortex

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
OUTLINE_COLORS = ("#009E73", "#0072B2", "#CC79A7", "#000000")

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

HEMISPHERES = ("lh-lateral", "lh-medial", "rh-medial", "rh-lateral")
FIVE_VIEWS = (*HEMISPHERES, "ventral")

# View name -> (hemisphere or None for both, direction to the viewer, up), in RAS.
_CAMERAS = {
    "lh-lateral": ("lh", (-1, 0, 0), (0, 0, 1)),
    "lh-medial": ("lh", (1, 0, 0), (0, 0, 1)),
    "rh-lateral": ("rh", (1, 0, 0), (0, 0, 1)),
    "rh-medial": ("rh", (-1, 0, 0), (0, 0, 1)),
    "dorsal": (None, (0, 0, 1), (0, 1, 0)),
    "ventral": (None, (0, 0, -1), (0, 1, 0)),
    "posterior": (None, (0, -1, 0), (0, 0, 1)),
    "anterior": (None, (0, 1, 0), (0, 0, 1)),
}
_PIXEL = 0.4e-3  # m; finer than a screen pixel at the size the figures are shown
_GAP = 6e-3  # m between inflated hemispheres seen together
_NO_DATA = (0.86, 0.86, 0.86)
_SULCUS = 0.80  # brightness of a sulcus, a gyrus is 1


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


def _styled(function):
    """Draw inside the book's style without touching the caller's settings."""

    @wraps(function)
    def wrapper(*args, **kwargs):
        import matplotlib.pyplot as plt

        with plt.rc_context(_rc()):
            return function(*args, **kwargs)

    return wrapper


def method_color(method: str) -> str:
    """Return the fixed colour of a method, for example ``"sloreta"``."""
    return METHOD_COLORS.get(method.lower(), PAPER_COLOR)


def method_name(method: str) -> str:
    """Return the printed name of a method: ``"sloreta"`` gives ``"sLORETA"``."""
    return METHOD_NAMES.get(method.lower(), method)


# --------------------------------------------------------------------------- cortex


class _Raster(NamedTuple):
    """A projected surface: for every pixel its vertex (-1: none) and brightness."""

    vertex: NDArray
    shade: NDArray
    extent: tuple[float, float, float, float]  # mm, for imshow


def colormap(kind: str = "sequential"):
    """Return the colour map of cortex maps; zero is the grey of the bare cortex.

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
    if kind not in colors:
        msg = f"kind={kind!r} is not one of {sorted(colors)}."
        raise ValueError(msg)
    return LinearSegmentedColormap.from_list(f"cortex-{kind}", colors[kind], N=256)


def _surface(cortex: Cortex, surface: str) -> NDArray:
    """Vertices (n_vertices, 3) in m; inflated hemispheres are moved apart."""
    pial = np.asarray(cortex.vertices, float)
    if surface == "pial":
        return pial
    if surface != "inflated":
        msg = f"surface={surface!r} is not 'pial' or 'inflated'."
        raise ValueError(msg)
    # The inflated surface has no unit: give it the length of the pial one.
    points = np.array(cortex.inflated, float)
    points *= np.ptp(pial[:, 1]) / np.ptp(points[:, 1])
    half = cortex.n_left
    points[:half, 0] -= points[:half, 0].max() + _GAP / 2
    points[half:, 0] -= points[half:, 0].min() - _GAP / 2
    return points


def _vertex_normals(points: NDArray, faces: NDArray) -> NDArray:
    a, b, c = (points[faces[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], cross)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)


def _visible_hits(corners: NDArray, depth: NDArray, shape: tuple[int, int]):
    """Pixels covered by each triangle, farthest first.

    ``corners`` (n_faces, 3, 2) in pixels and ``depth`` (n_faces, 3) towards the
    viewer. Returns flat pixel indices, face indices and barycentric weights. The
    loops run over the few pixels of the largest bounding box, not over the faces.
    """
    low = np.floor(corners.min(axis=1)).astype(int)
    width, height = (np.ceil(corners.max(axis=1)).astype(int) - low).max(axis=0) + 1
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    twice_area = ux * vy - vx * uy
    twice_area[np.abs(twice_area) < 1e-12] = np.nan
    found = []
    for dx in range(width):
        for dy in range(height):
            px, py = low[:, 0] + dx, low[:, 1] + dy
            wx, wy = px - a[:, 0], py - a[:, 1]
            w1 = (wx * vy - vx * wy) / twice_area
            w2 = (ux * wy - wx * uy) / twice_area
            inside = (w1 >= -1e-9) & (w2 >= -1e-9) & (w1 + w2 <= 1 + 1e-9)
            face = np.flatnonzero(inside)
            weights = np.stack([1 - w1 - w2, w1, w2], axis=1)[face]
            found.append((py[face] * shape[1] + px[face], face, weights))
    pixel, face, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort((weights * depth[face]).sum(axis=1), kind="stable")
    return pixel[order], face[order], weights[order]


@lru_cache(maxsize=64)
def _rasterise(cortex: Cortex, surface: str, view: str) -> _Raster:
    """Project one view of the cortex onto pixels (cached: a Cortex is frozen)."""
    if view not in _CAMERAS:
        msg = f"view={view!r} is not one of {list(_CAMERAS)}."
        raise ValueError(msg)
    hemisphere, toward, up = _CAMERAS[view]
    points, faces = _surface(cortex, surface), np.asarray(cortex.faces)
    if hemisphere is not None:
        faces = faces[(faces[:, 0] < cortex.n_left) == (hemisphere == "lh")]
    normals = _vertex_normals(points, np.asarray(cortex.faces))
    toward, up = np.array(toward, float), np.array(up, float)
    axes = np.stack([np.cross(up, toward), up, toward], axis=1)
    projected = points @ axes
    used = projected[np.unique(faces)]
    origin = used[:, :2].min(axis=0) - 2 * _PIXEL
    size = np.ceil((used[:, :2].max(axis=0) - origin) / _PIXEL).astype(int) + 3
    shape = (int(size[1]), int(size[0]))
    corners = (projected[:, :2] - origin)[faces] / _PIXEL
    pixel, face, weights = _visible_hits(corners, projected[:, 2][faces], shape)

    vertex = np.full(shape[0] * shape[1], -1)
    shade = np.ones(len(vertex))
    vertex[pixel] = faces[face, weights.argmax(axis=1)]  # nearest comes last and stays
    facing = (normals @ toward)[faces[face]]
    dark = np.where(np.asarray(cortex.sulc) > 0, _SULCUS, 1.0)[faces[face]]
    light = 0.62 + 0.38 * np.clip((weights * facing).sum(axis=1), 0, 1)
    shade[pixel] = light * (weights * dark).sum(axis=1)
    edges = np.array([origin[0], origin[0], origin[1], origin[1]])
    edges[[1, 3]] += np.array([shape[1], shape[0]]) * _PIXEL
    return _Raster(vertex.reshape(shape), shade.reshape(shape), tuple(edges * 1e3))


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
        raise ValueError(msg)
    return np.where(region >= 0, values[region], np.nan)


def _draw_view(ax, values, cortex, view, surface, cmap, norm, outlines) -> None:
    raster = _rasterise(cortex, surface, view)
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


def _outline_lines():
    while True:
        yield from OUTLINE_COLORS


def _as_outlines(outlines) -> dict:
    if outlines is None:
        return {}
    if hasattr(outlines, "items"):
        return {str(name): np.asarray(regions) for name, regions in outlines.items()}
    return {"": np.asarray(outlines)}


def _scale(values: NDArray, cmap, vmin, vmax):
    """Colour map and norm that fit the values: signed data gets a centred scale."""
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


def _outline_legend(fig, outlines: dict, **where) -> None:
    from matplotlib.lines import Line2D

    named = [
        Line2D([], [], color=line, lw=1.8, label=name)
        for (name, _), line in zip(outlines.items(), _outline_lines(), strict=False)
        if name
    ]
    if named:
        fig.legend(handles=named, ncols=len(named), **where)


@_styled
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
    outlines : mapping of name to region indices, or region indices, optional
        Sets of regions whose border is drawn: the truth, a Brodmann area.
    cmap, vmin, vmax : optional
        Default: grey to dark red from 0, or blue-grey-red around 0 for signed data.
    label, title : str
        Text of the colour bar and of the figure.
    colorbar : bool
        Whether to draw it (never when ``axes`` are given).
    axes : sequence of matplotlib Axes, optional
        One for each view; default a new figure with one row.

    Returns
    -------
    fig, axes : Figure and array of Axes
    """
    import matplotlib.pyplot as plt
    from matplotlib.cm import ScalarMappable

    outlines = _as_outlines(outlines)
    cmap, norm = _scale(values, cmap, vmin, vmax)
    own = axes is None
    if own:
        widths = [
            np.ptp(_rasterise(cortex, surface, view).extent[:2]) for view in views
        ]
        fig, axes = plt.subplots(
            1,
            len(views),
            figsize=(2.05 * len(views) + 0.5, 1.9),
            width_ratios=widths,
            layout="constrained",
            squeeze=False,
        )
        axes = axes[0]
    axes = np.atleast_1d(axes)
    fig = axes[0].figure
    for ax, view in zip(axes, views, strict=True):
        _draw_view(ax, values, cortex, view, surface, cmap, norm, outlines)
        if own:
            ax.set_title(
                view.replace("-", " "), fontsize=7, weight="normal", loc="center"
            )
    if own and colorbar:
        mappable = ScalarMappable(norm, cmap)
        fig.colorbar(mappable, ax=list(axes), shrink=0.75, pad=0.01, label=label)
    if own and title:
        fig.suptitle(title, fontsize=10, weight="bold", x=0.01, ha="left")
    if own:
        _outline_legend(fig, outlines, loc="outside lower center")
    return fig, axes


@_styled
def plot_methods(
    maps: Mapping[str, ArrayLike],
    cortex: Cortex,
    *,
    views: Sequence[str] = HEMISPHERES,
    surface: str = "inflated",
    outlines: Mapping[str, ArrayLike] | ArrayLike | None = None,
    title: str | None = None,
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

    Returns
    -------
    fig, axes : Figure and array of Axes of shape (n_methods, n_views)
    """
    import matplotlib.pyplot as plt
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    widths = [np.ptp(_rasterise(cortex, surface, view).extent[:2]) for view in views]
    fig, axes = plt.subplots(
        len(maps),
        len(views),
        figsize=(1.95 * len(views) + 1.0, 1.45 * len(maps) + 0.3),
        width_ratios=widths,
        layout="constrained",
        squeeze=False,
    )
    cmap, norm = colormap("sequential"), Normalize(0, 1, clip=True)
    outlines = _as_outlines(outlines)
    for row, (method, values) in zip(axes, maps.items(), strict=True):
        values = np.abs(np.asarray(values, float))
        peak = np.nanmax(values, initial=0.0)
        values = values / peak if peak > 0 else values
        for ax, view in zip(row, views, strict=True):
            _draw_view(ax, values, cortex, view, surface, cmap, norm, outlines)
        row[0].text(
            -0.06,
            0.5,
            method_name(method),
            transform=row[0].transAxes,
            rotation=90,
            ha="center",
            va="center",
            weight="bold",
            color=method_color(method),
        )
    label = "magnitude / its largest"
    mappable = ScalarMappable(norm, cmap)
    fig.colorbar(mappable, ax=axes, shrink=min(1, 1.2 / len(maps)), label=label)
    if title:
        fig.suptitle(title, fontsize=10, weight="bold", x=0.01, ha="left")
    _outline_legend(fig, outlines, loc="outside lower center")
    return fig, axes


# ------------------------------------------------------------------------ sensors


@_styled
def plot_topography(
    values: ArrayLike,
    info: mne.Info,
    *,
    ax: Axes | None = None,
    title: str | None = None,
    label: str = "",
    colorbar: bool = True,
    vlim: tuple[float | None, float | None] = (None, None),
    **options,
) -> tuple[Figure, Axes]:
    """Draw one value a channel as a scalp map (:func:`mne.viz.plot_topomap`).

    Parameters
    ----------
    values : array of shape (n_channels,)
        In the order of ``info``; the unit is named by ``label``.
    info : mne.Info
        Holds the electrode positions.
    ax, title, label, colorbar, vlim, **options
        Where and how; ``options`` go to :func:`mne.viz.plot_topomap`.

    Returns
    -------
    fig, ax : Figure and Axes
    """
    import matplotlib.pyplot as plt
    import mne

    if ax is None:
        _, ax = plt.subplots(figsize=(2.8, 2.6), layout="constrained")
    settings = {"cmap": "RdBu_r", "sensors": "k.", "contours": 5} | options
    values = np.asarray(values, float)
    image, _ = mne.viz.plot_topomap(
        values, info, axes=ax, show=False, vlim=vlim, **settings
    )
    if title:
        ax.set_title(title, loc="center", fontsize=9)
    if colorbar:
        ax.figure.colorbar(image, ax=ax, shrink=0.7, label=label)
    return ax.figure, ax


@_styled
def plot_butterfly(
    data: ArrayLike,
    times: ArrayLike,
    *,
    ax: Axes | None = None,
    ylabel: str = "",
    title: str | None = None,
    mark: float | None = None,
    highlight: Mapping[str, int] | None = None,
) -> tuple[Figure, Axes]:
    """Draw all time courses over each other, with the largest magnitude marked.

    Parameters
    ----------
    data : array of shape (n_times, n_series)
        Channels or regions in columns, in the unit named by ``ylabel``.
    times : array of shape (n_times,)
        Seconds.
    ax, ylabel, title
        Where, and the texts.
    mark : float, optional
        A time in seconds drawn as a vertical line.
    highlight : mapping of label to column, optional
        Series drawn thick and in colour over the grey rest.

    Returns
    -------
    fig, ax : Figure and Axes

    Raises
    ------
    ValueError
        ``data`` and ``times`` do not agree.
    """
    import matplotlib.pyplot as plt

    data, times = np.asarray(data, float), np.asarray(times, float)
    if data.ndim != 2 or len(data) != len(times):
        msg = (
            f"data of shape {data.shape} is not (n_times, n_series) with "
            f"{len(times)} times; transpose it?"
        )
        raise ValueError(msg)
    if ax is None:
        _, ax = plt.subplots(figsize=(6.5, 2.4), layout="constrained")
    grey = "#8a8a8a" if highlight else "#4d6f8a"
    ax.plot(times * 1e3, data, color=grey, lw=0.5, alpha=0.7)
    for name, column in (highlight or {}).items():
        ax.plot(times * 1e3, data[:, column], lw=1.8, label=name)
    if mark is not None:
        ax.axvline(mark * 1e3, color=METHOD_COLORS["truth"], lw=0.8, ls="--")
    ax.set(xlabel="time (ms)", ylabel=ylabel, xlim=(times[0] * 1e3, times[-1] * 1e3))
    if title:
        ax.set_title(title)
    if highlight:
        ax.legend()
    return ax.figure, ax


# -------------------------------------------------------------------------- head

SHELL_COLORS = {"scalp": "#E69F00", "outer_skull": "#8c8c8c", "inner_skull": "#0072B2"}
_CUTS = {"sagittal": (0, (1, 2), "y (mm)"), "coronal": (1, (0, 2), "x (mm)")}


def _crossings(points: NDArray, faces: NDArray, axis: int, at: float) -> NDArray:
    """Cut a surface by the plane ``axis = at``: segments of shape (n, 2, 3)."""
    corners = points[faces]
    side = corners[:, :, axis] > at
    cut = side.any(axis=1) & ~side.all(axis=1)
    corners, side = corners[cut], side[cut]
    # The corner that is alone on its side has both crossed edges.
    alone = np.where(side.sum(axis=1) == 1, side.argmax(axis=1), side.argmin(axis=1))
    row = np.arange(len(alone))
    tip = corners[row, alone]
    ends = []
    for step in (1, 2):
        other = corners[row, (alone + step) % 3]
        share = (at - tip[:, axis]) / (other[:, axis] - tip[:, axis])
        ends.append(tip + share[:, None] * (other - tip))
    return np.stack(ends, axis=1)


@_styled
def plot_head(
    shells: Shells,
    cortex: Cortex,
    electrodes: ArrayLike,
    *,
    cuts: Mapping[str, float] | None = None,
) -> tuple[Figure, NDArray]:
    """Draw the three shells, the cortex in them and the electrodes on them.

    Parameters
    ----------
    shells : Shells
        Inner skull, outer skull and scalp.
    cortex : Cortex
        Its pial surface is drawn.
    electrodes : array of shape (n_electrodes, 3)
        Metres, the frame of the shells.
    cuts : mapping of {"sagittal", "coronal"} to position, optional
        Where to cut, metres. Default: 1 cm to the right of the midline, and through
        the centre of the shells.

    Returns
    -------
    fig, axes : Figure and array of Axes
        A view from the left front, then the cuts.
    """
    import matplotlib.pyplot as plt
    from matplotlib.collections import LineCollection

    if cuts is None:
        cuts = {"sagittal": 0.01, "coronal": float(shells.center[1])}
    fig = plt.figure(figsize=(3.1 * (1 + len(cuts)), 3.3), layout="constrained")
    grid = fig.add_gridspec(1, 1 + len(cuts))
    axes = [fig.add_subplot(grid[0], projection="3d")]
    _draw_scalp(axes[0], shells, np.asarray(electrodes))
    names = {
        "scalp": "scalp",
        "outer_skull": "outer skull",
        "inner_skull": "inner skull",
    }
    for k, (cut, at) in enumerate(cuts.items(), start=1):
        axis, plane, label = _CUTS[cut]
        ax = fig.add_subplot(grid[k])
        surfaces = {"cortex": (cortex.vertices, cortex.faces, "#555555", 0.6)}
        for name, color in SHELL_COLORS.items():
            surfaces[names[name]] = (shells.surface(name), shells.faces, color, 1.6)
        for name, (points, faces, color, width) in surfaces.items():
            lines = _crossings(points, faces, axis, at)[:, :, plane] * 1e3
            ax.add_collection(LineCollection(lines, colors=color, lw=width, label=name))
        near = np.abs(np.asarray(electrodes)[:, axis] - at) < 0.012
        dots = np.asarray(electrodes)[near][:, plane] * 1e3
        ax.plot(*dots.T, "o", ms=4, color=METHOD_COLORS["deepsif"], label="electrode")
        ax.set(aspect="equal", xlabel=label, ylabel="z (mm)", ylim=(-120, 115))
        ax.set_title(f"{cut} cut")
        ax.autoscale_view(scaley=False)
        axes.append(ax)
    axes[-1].legend(loc="lower center", fontsize=6.5, ncols=2, bbox_to_anchor=(0.5, 0))
    return fig, np.array(axes, dtype=object)


def _draw_scalp(ax, shells: Shells, electrodes: NDArray) -> None:
    """Draw the scalp in 3-D with the electrodes on the side that is seen."""
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    azimuth, elevation = np.deg2rad([145, 20])  # from the left and the front
    toward = np.array(
        [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
    )
    corners = shells.surface("scalp")[shells.faces] * 1e3
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    light = 0.45 + 0.55 * np.clip(normals @ toward, 0, 1)
    skin = np.array([0.93, 0.80, 0.68])
    ax.add_collection3d(
        Poly3DCollection(
            corners,
            facecolors=light[:, None] * skin,
            edgecolors="none",
            antialiased=False,
        )
    )
    rays = electrodes - shells.center
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    seen = rays @ toward > 0.05
    lifted = (electrodes + 3e-3 * rays)[seen] * 1e3
    ax.plot(*lifted.T, "o", ms=3.5, color=METHOD_COLORS["deepsif"], zorder=10)
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(-115, high[2]))
    ax.set_box_aspect((high[0] - low[0], high[1] - low[1], high[2] + 115), zoom=1.35)
    ax.computed_zorder = False
    ax.view_init(elev=20, azim=145)
    ax.set_axis_off()


# ------------------------------------------------------------------------- scores


@_styled
def plot_metrics(
    table: pd.DataFrame,
    metrics: Mapping[str, str],
    *,
    by: str = "n_sources",
    by_label: str = "sources",
    paper: pd.DataFrame | None = None,
) -> tuple[Figure, NDArray]:
    """Compare methods on several metrics: mean and spread in each group (Fig. 3A).

    Parameters
    ----------
    table : DataFrame
        One row a sample (or source) with columns ``method``, ``by`` and the metrics.
    metrics : mapping of column to axis label
        One panel each.
    by, by_label : str
        The column that makes the groups, and its printed name.
    paper : DataFrame, optional
        The paper's values, indexed by group, one column ``<metric>`` and
        ``<metric>_sd`` each; drawn as grey diamonds.

    Returns
    -------
    fig, axes : Figure and array of Axes
        Bars are means, whiskers one standard deviation.
    """
    import matplotlib.pyplot as plt

    groups = sorted(table[by].unique())
    methods = list(dict.fromkeys(table["method"]))
    fig, axes = plt.subplots(
        1, len(metrics), figsize=(2.5 * len(metrics), 2.6), layout="constrained"
    )
    axes = np.atleast_1d(axes)
    width = 0.8 / (len(methods) + (paper is not None))
    for ax, (metric, label) in zip(axes, metrics.items(), strict=True):
        for k, method in enumerate(methods):
            rows = table[table["method"] == method].groupby(by)[metric]
            _bars(ax, k, width, rows.mean()[groups], rows.std()[groups], method)
        if paper is not None and metric in paper:
            at = np.arange(len(groups)) + (len(methods) + 0.5) * width - 0.4
            ax.errorbar(
                at,
                paper[metric][groups],
                yerr=paper[f"{metric}_sd"][groups],
                fmt="D",
                ms=4,
                color=PAPER_COLOR,
                lw=0.9,
                label="paper (DeepSIF)",
            )
        ax.set(xticks=range(len(groups)), xticklabels=groups, xlabel=by_label)
        ax.set_ylim(bottom=0)
        ax.set_title(label)
        ax.grid(axis="x", visible=False)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return fig, axes


def _bars(ax, k, width, mean, sd, method) -> None:
    at = np.arange(len(mean)) + (k + 0.5) * width - 0.4
    ax.bar(
        at,
        mean,
        width * 0.92,
        yerr=sd,
        color=method_color(method),
        error_kw={"lw": 0.8, "ecolor": "#333333"},
        label=method_name(method),
    )


@_styled
def plot_strata(
    table: pd.DataFrame,
    metric: str,
    by: str,
    *,
    bins: ArrayLike | None = None,
    xlabel: str = "",
    ylabel: str = "",
    ax: Axes | None = None,
) -> tuple[Figure, Axes]:
    """Show how a metric depends on a condition: mean, with its quartiles shaded.

    Parameters
    ----------
    table : DataFrame
        One row a source (or sample) with columns ``method``, ``metric`` and ``by``.
    metric, by : str
        Column shown and column of the condition (noise level, depth, distance).
    bins : array of edges, optional
        Groups a continuous condition; default: its distinct values.
    xlabel, ylabel : str
        Axis texts with units.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    fig, ax : Figure and Axes
    """
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=(3.4, 2.6), layout="constrained")
    for method in dict.fromkeys(table["method"]):
        rows = table.loc[table["method"] == method, [by, metric]].dropna()
        group = rows[by]
        if bins is not None:
            edges = np.asarray(bins, float)
            middle = (edges[1:] + edges[:-1]) / 2
            where = np.digitize(group, edges) - 1
            keep = (where >= 0) & (where < len(middle))
            rows, group = rows[keep], middle[where[keep]]
        summary = rows[metric].groupby(np.asarray(group)).describe()
        color = method_color(method)
        ax.fill_between(
            summary.index, summary["25%"], summary["75%"], color=color, alpha=0.14, lw=0
        )
        ax.plot(summary.index, summary["mean"], "o-", ms=3.5, color=color)
        ax.plot([], [], "o-", ms=3.5, color=color, label=method_name(method))
    ax.set(xlabel=xlabel or by, ylabel=ylabel or metric)
    ax.legend()
    return ax.figure, ax


@_styled
def plot_area(
    simulated: ArrayLike,
    estimated: ArrayLike,
    *,
    ax: Axes | None = None,
    method: str = "deepsif",
) -> tuple[Figure, Axes]:
    """Estimated against simulated source area with their correlation (Fig. 3C).

    Parameters
    ----------
    simulated, estimated : array of shape (n,)
        Areas in cm^2; pairs with a NaN are left out. Estimates beyond twice the
        largest simulated area are drawn as triangles at the upper edge.
    ax : Axes, optional
        Where to draw.
    method : str
        Whose colour to use.

    Returns
    -------
    fig, ax : Figure and Axes
    """
    import matplotlib.pyplot as plt

    x, y = np.asarray(simulated, float), np.asarray(estimated, float)
    keep = np.isfinite(x) & np.isfinite(y)
    x, y = x[keep], y[keep]
    if ax is None:
        _, ax = plt.subplots(figsize=(2.9, 2.7), layout="constrained")
    top = float(x.max(initial=0)) * 2 or 1.0
    color, beyond = method_color(method), y > top
    ax.scatter(x[~beyond], y[~beyond], s=9, alpha=0.35, lw=0, color=color)
    edge = np.full(beyond.sum(), top * 0.985)
    ax.scatter(x[beyond], edge, s=9, alpha=0.35, lw=0, color=color, marker="^")
    ax.plot([0, top], [0, top], color=PAPER_COLOR, lw=0.8, ls="--")
    r = np.corrcoef(x, y)[0, 1] if len(x) > 2 else np.nan
    ax.set_title(f"{method_name(method)}: r = {r:.2f}, n = {len(x)}")
    ax.set(
        xlim=(0, top),
        ylim=(0, top),
        aspect="equal",
        xlabel="simulated area (cm$^2$)",
        ylabel="estimated area (cm$^2$)",
    )
    return ax.figure, ax


@_styled
def plot_stages(stages: Mapping[str, Sequence[tuple[str, str]]]) -> tuple[Figure, Axes]:
    """Draw networks as rows of boxes, input on the left.

    Parameters
    ----------
    stages : mapping of network to sequence of (text, kind)
        ``kind`` is ``"data"`` (grey) or ``"layer"`` (colour).

    Returns
    -------
    fig, ax : Figure and Axes
    """
    import matplotlib.pyplot as plt

    n_columns = max(len(row) for row in stages.values())
    size = (1.35 * n_columns, 1.25 * len(stages))
    fig, ax = plt.subplots(figsize=size, layout="constrained")
    fill = {"data": "#e6e6e6", "layer": "#fbe3c4"}
    for y, (name, row) in enumerate(stages.items()):
        ax.text(-0.4, -y + 0.42, name, weight="bold", va="center")
        for x, (text, kind) in enumerate(row):
            box = {"boxstyle": "round,pad=0.35", "fc": fill[kind], "ec": "0.5"}
            ax.text(x, -y, text, ha="center", va="center", fontsize=7, bbox=box)
            if x:
                arrow = {"arrowstyle": "->", "color": "0.4"}
                ax.annotate("", (x - 0.36, -y), (x - 0.64, -y), arrowprops=arrow)
    ax.set(xlim=(-0.5, n_columns - 0.5), ylim=(-len(stages) + 0.6, 0.6))
    ax.axis("off")
    return fig, ax


@_styled
def plot_loss(
    history: pd.DataFrame,
    *,
    x: str = "samples",
    columns: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw the loss of a training run on logarithmic axes.

    Parameters
    ----------
    history : DataFrame
        The training log: column ``x`` and one or more columns of losses.
    x : str
        Column of the horizontal axis, samples seen.
    columns : mapping of column to label, optional
        Default: every column whose name ends in ``loss``.
    ax, title
        Where, and the text above.

    Returns
    -------
    fig, ax : Figure and Axes
    """
    import matplotlib.pyplot as plt

    if columns is None:
        columns = {name: name for name in history.columns if name.endswith("loss")}
    if not columns:
        msg = f"no loss column in history: {list(history.columns)}; pass columns=."
        raise ValueError(msg)
    if ax is None:
        _, ax = plt.subplots(figsize=(4.6, 2.6), layout="constrained")
    for column, label in columns.items():
        rows = history[[x, column]].dropna()
        style = {"marker": "o", "ms": 3} if len(rows) < 40 else {}
        ax.plot(rows[x], rows[column], label=label, **style)
    ax.set(xlabel=x, ylabel="mean squared error", yscale="log")
    if title:
        ax.set_title(title)
    ax.legend()
    return ax.figure, ax
