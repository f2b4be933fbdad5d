"""Views of the cortex as grids of pixels that know their vertex and their shade.

Each view is projected once (a z-buffer) and then colored by table look-up. Pixels, not
triangles, belong to a parcel, so its border is as sharp as the screen, and an outline
is the contour of a mask.

Why not nilearn's ``plot_surf_stat_map`` with ``plot_surf_contours``, which draws the
triangles as polygons in matplotlib's 3-D axes? Measured with nilearn 0.14.1 on two busy
cores, a figure of four inflated views with one outline takes 1.2 s there and 0.5 s here
(1.4 s the first time). There, borders and outlines are teeth, the edges of triangles
3 mm long, and more than half of each panel is empty.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import check_option
from ..mesh import normals_and_areas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..cortex.surface import Cortex

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
PIXEL = 0.4e-3  # m; finer than a screen pixel at the size the figures are shown
_GAP = 6e-3  # m between inflated hemispheres seen together
_SULCUS = 0.80  # brightness of a sulcus, a gyrus is 1


class Raster(NamedTuple):
    """A projected surface: for every pixel its vertex (-1: none) and brightness."""

    vertex: NDArray
    shade: NDArray
    extent: tuple[float, float, float, float]  # mm, for imshow


def surface_points(cortex: Cortex, surface: str) -> NDArray:
    """Return vertices (n_vertices, 3) in m; inflated hemispheres are moved apart."""
    check_option("surface", surface, ("pial", "inflated"))
    pial = np.asarray(cortex.vertices, float)
    if surface == "pial":
        return pial
    # The inflated surface has no unit: give it the length of the pial one.
    points = np.array(cortex.inflated, float)
    points *= np.ptp(pial[:, 1]) / np.ptp(points[:, 1])
    half = cortex.n_left
    points[:half, 0] -= points[:half, 0].max() + _GAP / 2
    points[half:, 0] -= points[half:, 0].min() - _GAP / 2
    return points


def _visible_hits(corners: NDArray, depth: NDArray, shape: tuple[int, int]):
    """Pixels covered by each triangle, farthest first.

    ``corners`` (n_faces, 3, 2) in pixels and ``depth`` (n_faces, 3) toward the
    viewer. Returns flat pixel indices, face indices and barycentric weights. The
    loops run over the few pixels of the largest bounding box, not over the faces.
    Faces that are turned away lie behind others, for the surface is closed.
    """
    (ux, uy), (vx, vy) = (corners[:, 1:] - corners[:, :1]).transpose(1, 2, 0)
    toward = np.flatnonzero(ux * vy - vx * uy > 1e-12)
    corners, depth = corners[toward], depth[toward]
    low = np.floor(corners.min(axis=1)).astype(int)
    width, height = (np.ceil(corners.max(axis=1)).astype(int) - low).max(axis=0) + 1
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    twice_area = ux * vy - vx * uy
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
    return pixel[order], toward[face[order]], weights[order]


@lru_cache(maxsize=64)
def rasterize(cortex: Cortex, surface: str, view: str) -> Raster:
    """Project one view of the cortex onto pixels (cached: a Cortex is frozen)."""
    check_option("view", view, _CAMERAS)
    hemisphere, *directions = _CAMERAS[view]
    points, faces = surface_points(cortex, surface), np.asarray(cortex.faces)
    if hemisphere is not None:
        faces = faces[(faces[:, 0] < cortex.n_left) == (hemisphere == "lh")]
    normals, _ = normals_and_areas(points, np.asarray(cortex.faces))
    toward, up = np.array(directions, float)
    axes = np.stack([np.cross(up, toward), up, toward], axis=1)
    projected = points @ axes
    used = projected[np.unique(faces)]
    origin = used[:, :2].min(axis=0) - 2 * PIXEL
    size = np.ceil((used[:, :2].max(axis=0) - origin) / PIXEL).astype(int) + 3
    shape = (int(size[1]), int(size[0]))
    corners = (projected[:, :2] - origin)[faces] / PIXEL
    pixel, face, weights = _visible_hits(corners, projected[:, 2][faces], shape)

    vertex = np.full(shape[0] * shape[1], -1)
    shade = np.ones(len(vertex))
    vertex[pixel] = faces[face, weights.argmax(axis=1)]  # nearest comes last and stays
    facing = (normals @ toward)[faces[face]]
    dark = np.where(np.asarray(cortex.sulc) > 0, _SULCUS, 1.0)[faces[face]]
    light = 0.62 + 0.38 * np.clip((weights * facing).sum(axis=1), 0, 1)
    shade[pixel] = light * (weights * dark).sum(axis=1)
    edges = np.array([origin[0], origin[0], origin[1], origin[1]])
    edges[[1, 3]] += np.array([shape[1], shape[0]]) * PIXEL
    return Raster(vertex.reshape(shape), shade.reshape(shape), tuple(edges * 1e3))
