"""Cut the cortex into parcels of similar area."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from ..artifacts import artifact_path, read_artifact, write_arrays
from ..errors import OptionError
from ..mesh import mesh_edges, normals_and_areas
from .fsaverage import load_fsaverage5

# mm. fsaverage's mean thickness falls to 0 in the medial wall; the bound is chosen
# between that and the thinnest true cortex (calcarine, about 1.6 mm).
MEDIAL_WALL_THICKNESS = 1.5

_SHIPPED_REGIONS = 994  # as many as the published parcellation has
# Of the weights that even areas out, in radii of a parcel of mean area: by how much one
# changes where its cell is twice too large, and the least, for an edge of length 0 is
# none to SciPy.
_WEIGHT_STEP, _LEAST_WEIGHT = 0.1, 0.05


def parcellate(n_regions: int, *, n_iter: int = 40, seed: int = 0) -> NDArray:
    """Cut the cortex into connected parcels of similar area.

    Centroidal Voronoi cells along the surface: each vertex joins its nearest center
    (shortest path over mesh edges, so that cells are connected), then each center
    moves to the vertex nearest its cell's center of mass. Distances are additively
    weighted: the weight of a large cell rises, so that its neighbors grow, which evens
    the areas out.

    Parameters
    ----------
    n_regions : int
        Parcels over both hemispheres, shared by cortical area.
    n_iter : int
        Rounds of assignment and re-centering.
    seed : int | Generator
        Draws the first center.

    Returns
    -------
    region_of_vertex : array of int, shape (n_vertices,)
        -1 in the medial wall.

    Raises
    ------
    OptionError
        So many parcels do not fit.
    """
    surface = load_fsaverage5()
    vertices, faces = surface["vertices"], surface["faces"]
    _, areas = normals_and_areas(vertices, faces)
    edges = mesh_edges(faces)
    keep = _outside_medial_wall(surface["thickness"], edges)
    rng = np.random.default_rng(seed)
    region_of_vertex = np.full(len(vertices), -1)
    left = np.arange(len(vertices)) < len(vertices) // 2
    n_left = round(n_regions * areas[keep & left].sum() / areas[keep].sum())
    sides = ((left, n_left, 0), (~left, n_regions - n_left, n_left))
    for side, n_side, offset in sides:
        members = np.flatnonzero(keep & side)
        index = np.full(len(vertices), -1)
        index[members] = np.arange(len(members))
        inner = index[edges]
        inner = inner[(inner >= 0).all(axis=1)]
        labels = _balanced_cells(
            vertices[members], inner, areas[members], n_side, n_iter, rng
        )
        region_of_vertex[members] = labels + offset
    return region_of_vertex


def stored_parcellation(n_regions: int) -> NDArray | None:
    """Return the shipped result of :func:`parcellate`, or None where there is none."""
    name = _artifact_name(n_regions)
    if not artifact_path(name).is_file():
        return None
    return read_artifact(name, "cortex")["region_of_vertex"].astype(int)


def store_parcellation(root: str | Path | None = None) -> Path:
    """Make the shipped parcellation and store it."""
    region_of_vertex = parcellate(_SHIPPED_REGIONS).astype(np.int16)
    path = artifact_path(_artifact_name(_SHIPPED_REGIONS), root)
    return write_arrays(path, {"region_of_vertex": region_of_vertex})


def _artifact_name(n_regions: int) -> str:
    return f"cortex/template-{n_regions}.npz"


def _outside_medial_wall(thickness: NDArray, edges: NDArray) -> NDArray:
    """Mark cortical vertices: all but the largest thin patch of each hemisphere."""
    thin = thickness < MEDIAL_WALL_THICKNESS
    joined = edges[thin[edges].all(axis=1)]
    graph = sparse.coo_array(
        (np.ones(len(joined)), joined.T), shape=(len(thin), len(thin))
    )
    _, patch = connected_components(graph, directed=False)
    walls = np.argsort(np.bincount(patch))[-2:]  # one in each hemisphere
    return ~np.isin(patch, walls)


def _balanced_cells(
    points: NDArray,
    edges: NDArray,
    areas: NDArray,
    n_cells: int,
    n_iter: int,
    rng: np.random.Generator,
) -> NDArray:
    """Return the cell of each point after balanced Lloyd iterations."""
    n_points = len(points)
    lengths = np.linalg.norm(np.diff(points[edges], axis=1)[:, 0], axis=1)
    # One node per cell stands before its center; the edge to it is the cell's weight.
    gates = n_points + np.arange(n_cells)
    centers = _spread_centers(points, edges, lengths, n_cells, rng)
    mean_area = areas.sum() / n_cells
    radius = np.sqrt(mean_area / np.pi)
    weight = np.full(n_cells, radius)
    best, best_spread = None, np.inf
    for _ in range(n_iter):
        rows = np.concatenate([edges[:, 0], edges[:, 1], gates])
        cols = np.concatenate([edges[:, 1], edges[:, 0], centers])
        graph = sparse.csr_array(
            (np.concatenate([lengths, lengths, weight]), (rows, cols)),
            shape=(n_points + n_cells,) * 2,
        )
        _, _, source = dijkstra(
            graph, indices=gates, min_only=True, return_predecessors=True
        )
        cell = source[:n_points] - n_points
        size = np.bincount(cell, areas, n_cells)
        if size.min() > 0 and size.std() < best_spread:
            best, best_spread = cell, size.std()
        change = _WEIGHT_STEP * radius * (size / mean_area - 1)
        weight = np.maximum(weight + change, _LEAST_WEIGHT * radius)
        centers = _nearest_to_mass(points, areas, cell, centers)
    if best is None:
        msg = f"n_regions: {n_cells} parcels do not fit in a hemisphere; ask for fewer."
        raise OptionError(msg)
    return best


def _spread_centers(
    points: NDArray,
    edges: NDArray,
    lengths: NDArray,
    n_cells: int,
    rng: np.random.Generator,
) -> NDArray:
    """Choose centers one by one, each the point farthest from those before."""
    graph = sparse.csr_array((lengths, edges.T), shape=(len(points),) * 2)
    centers = [int(rng.integers(len(points)))]
    reach = dijkstra(graph, directed=False, indices=centers[0])
    while len(centers) < n_cells:
        centers.append(int(np.argmax(reach)))
        near = dijkstra(graph, directed=False, indices=centers[-1], limit=reach.max())
        reach = np.minimum(reach, near)
    return np.array(centers)


def _nearest_to_mass(
    points: NDArray, areas: NDArray, cell: NDArray, centers: NDArray
) -> NDArray:
    """Move each center to the point of its cell nearest the cell's center of mass."""
    moved = centers.copy()
    for k in range(len(centers)):
        members = np.flatnonzero(cell == k)
        if len(members):
            mass = np.average(points[members], axis=0, weights=areas[members])
            moved[k] = members[np.argmin(((points[members] - mass) ** 2).sum(axis=1))]
    return moved
