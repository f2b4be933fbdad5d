"""The head with its shells, the cortex in them and electrodes on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..mesh import face_normals
from .style import METHOD_COLORS, WIDTH, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from ..cortex.surface import Cortex
    from ..head.shells import Shells

# Color of each surface of a head.
SHELL_COLORS = {"scalp": "#E69F00", "outer_skull": "#8c8c8c", "inner_skull": "#0072B2"}
_BESIDE_MIDLINE = 0.01  # m to the right, where there is cortex, not the gap between
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


@styled
def plot_head(
    shells: Shells,
    cortex: Cortex,
    electrodes: ArrayLike,
) -> tuple[Figure, NDArray]:
    """Draw the three shells, the cortex in them and the electrodes on them.

    Parameters
    ----------
    shells : Shells
        Inner skull, outer skull and scalp.
    cortex : Cortex
        Its pial surface is drawn.
    electrodes : array of shape (n_electrodes, 3)
        Meters, the frame of the shells.

    Returns
    -------
    fig, axes : Figure and array of Axes
        A view from the left front, then a sagittal cut beside the midline, and a coronal
        one through the center of the shells.
    """
    import matplotlib.pyplot as plt
    from matplotlib.collections import LineCollection

    cuts = {"sagittal": _BESIDE_MIDLINE, "coronal": float(shells.center[1])}
    fig = plt.figure(figsize=(WIDTH, 2.8), layout="constrained")
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
    handles, labels = axes[-1].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=len(labels))
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
    points = shells.surface("scalp") * 1e3
    corners = points[shells.faces]
    normals = face_normals(points, shells.faces)
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
