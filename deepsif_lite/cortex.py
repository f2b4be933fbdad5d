"""The cortex as a list of parcels: where they are, how large, who touches whom.

Two cortices share the fsaverage5 surface (20,484 vertices, left hemisphere first):
the *template*, parcelled here from what nilearn ships, and the *published* one of
the DeepSIF authors (994 regions; Sun et al. 2022, Methods, "Simulating Synthetic
Dataset").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial.distance import cdist

from .parcels import Parcels
from .paths import data_dir

# mm. fsaverage's mean thickness falls to 0 in the medial wall; the bound is chosen
# between that and the thinnest true cortex (calcarine, about 1.6 mm).
MEDIAL_WALL_THICKNESS = 1.5


@dataclass(frozen=True, eq=False)
class Cortex(Parcels):
    """A parcelled fsaverage5 cortex: its :class:`Parcels` and the surface they cut.

    Attributes
    ----------
    vertices : array of shape (n_vertices, 3)
        Pial surface, metres, fsaverage RAS; left hemisphere first.
    faces : array of shape (n_faces, 3)
        Triangles, as vertex indices.
    inflated : array of shape (n_vertices, 3)
        The same vertices on the inflated surface (no unit), for display.
    sulc : array of shape (n_vertices,)
        Sulcal depth (no unit, positive in sulci), for display.
    normals : array of shape (n_vertices, 3)
        Unit normals of the pial surface, outward.
    vertex_areas : array of shape (n_vertices,)
        Pial area of each vertex, m^2.
    centroids : array of shape (n_regions, 3)
        Area-weighted centre of each parcel, metres, fsaverage RAS.
    hemisphere : array of str, shape (n_regions,)
        ``"lh"`` or ``"rh"``.
    """

    vertices: NDArray
    faces: NDArray
    inflated: NDArray
    sulc: NDArray
    normals: NDArray
    vertex_areas: NDArray
    centroids: NDArray
    hemisphere: NDArray

    @property
    def n_left(self) -> int:
        """Number of left-hemisphere vertices (they come first)."""
        return len(self.vertices) // 2

    def regions_at(self, vertices: NDArray) -> NDArray:
        """Return the sorted parcels that hold the given vertices."""
        regions = np.unique(self.region_of_vertex[vertices])
        return regions[regions >= 0]

    def to_vertices(self, values: NDArray, fill: float = 0.0) -> NDArray:
        """Spread one value a parcel over its vertices.

        Parameters
        ----------
        values : array of shape (n_regions, ...)
            One value (or row) a parcel.
        fill : float
            Value of vertices outside every parcel.
        """
        padded = np.concatenate([values, np.full((1, *values.shape[1:]), fill)])
        return padded[self.region_of_vertex]


def load_cortex(n_regions: int | str = 994) -> Cortex:
    """Load the template cortex with ``n_regions`` parcels, or the published one.

    Parameters
    ----------
    n_regions : int | "published"
        Number of parcels of the template over both hemispheres, or
        ``"published"`` for the authors' 994 regions (read from their files).

    Returns
    -------
    cortex : Cortex

    Raises
    ------
    ValueError
        ``n_regions`` is not a number of parcels the surface can hold.
    RecordingUnavailable
        The published files cannot be reached.
    """
    if n_regions == "published":
        return _published_cortex()
    is_count = isinstance(n_regions, (int, np.integer)) and 2 <= n_regions <= 2000
    if not is_count:
        msg = (
            f"n_regions={n_regions!r} must be 'published' or a number of parcels "
            "between 2 and 2000 (fsaverage5 has 20,484 vertices)."
        )
        raise ValueError(msg)
    return _template_cortex(int(n_regions))


@lru_cache(maxsize=4)
def _template_cortex(n_regions: int) -> Cortex:
    stored = data_dir() / "cortex" / f"template-{n_regions}.npz"
    if stored.is_file():
        region_of_vertex = np.load(stored)["region_of_vertex"].astype(int)
    else:
        region_of_vertex = parcellate(n_regions)
    return _assemble(f"template-{n_regions}", region_of_vertex)


@lru_cache(maxsize=1)
def _published_cortex() -> Cortex:
    from scipy.io import loadmat

    from .recordings import fetch

    mapping = loadmat(fetch("deepsif/anatomy/fs_cortex_20k_region_mapping.mat"))
    return _assemble("published", mapping["rm"].ravel().astype(int))


@lru_cache(maxsize=1)
def _fsaverage5() -> dict[str, NDArray]:
    """Read the surfaces nilearn ships; lengths in metres."""
    from nilearn.datasets import fetch_surf_fsaverage
    from nilearn.surface import load_surf_data, load_surf_mesh

    paths = fetch_surf_fsaverage("fsaverage5")

    def mesh(kind: str) -> list:
        return [load_surf_mesh(paths[f"{kind}_{side}"]) for side in ("left", "right")]

    def both(kind: str) -> NDArray:
        sides = [load_surf_data(paths[f"{kind}_{side}"]) for side in ("left", "right")]
        return np.concatenate(sides).astype(float)

    left, right = mesh("pial")
    n_left = len(left.coordinates)
    return {
        "vertices": np.vstack([left.coordinates, right.coordinates]) / 1e3,
        "faces": np.vstack([left.faces, right.faces + n_left]).astype(int),
        "inflated": np.vstack([m.coordinates for m in mesh("infl")]).astype(float),
        "sulc": both("sulc"),
        "thickness": both("thick"),
    }


def _assemble(name: str, region_of_vertex: NDArray) -> Cortex:
    """Derive everything a cortex knows from its surface and its parcels."""
    surface = _fsaverage5()
    vertices, faces = surface["vertices"], surface["faces"]
    normals, vertex_areas = _normals_and_areas(vertices, faces)
    n_regions = int(region_of_vertex.max()) + 1
    inside = region_of_vertex >= 0
    membership = sparse.csr_array(
        (vertex_areas[inside], (region_of_vertex[inside], np.flatnonzero(inside))),
        shape=(n_regions, len(vertices)),
    )
    areas = membership.sum(axis=1)
    centroids = (membership @ vertices) / areas[:, None]
    sums = [
        np.bincount(region_of_vertex[inside], x) for x in surface["inflated"][inside].T
    ]
    first = np.array(
        [np.flatnonzero(region_of_vertex == r)[0] for r in range(n_regions)]
    )
    return Cortex(
        name=name,
        vertices=vertices,
        faces=faces,
        inflated=surface["inflated"],
        region_of_vertex=region_of_vertex,
        sulc=surface["sulc"],
        n_regions=n_regions,
        normals=normals,
        vertex_areas=vertex_areas,
        centroids=centroids,
        areas=areas,
        neighbors=_parcel_neighbors(faces, region_of_vertex, n_regions),
        distances=cdist(centroids, centroids),
        inflated_centroids=np.column_stack(sums)
        / np.bincount(region_of_vertex[inside])[:, None],
        hemisphere=np.where(first < len(vertices) // 2, "lh", "rh"),
    )


def _normals_and_areas(vertices: NDArray, faces: NDArray) -> tuple[NDArray, NDArray]:
    """Return area-weighted outward unit normals and a third of the touching areas."""
    corners = vertices[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    incidence = sparse.csr_array(
        (np.ones(faces.size), (faces.ravel(), np.repeat(np.arange(len(faces)), 3))),
        shape=(len(vertices), len(faces)),
    )
    normals = incidence @ cross
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return normals, incidence @ (np.linalg.norm(cross, axis=1) / 6)


def _edges(faces: NDArray) -> NDArray:
    """Return the undirected mesh edges, each once, shape (n_edges, 2)."""
    pairs = np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0)


def _parcel_neighbors(
    faces: NDArray, region_of_vertex: NDArray, n_regions: int
) -> list[NDArray]:
    """Two parcels are neighbours when a mesh edge joins them (symmetric by nature)."""
    pairs = region_of_vertex[_edges(faces)]
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs >= 0).all(axis=1)]
    touching = [set() for _ in range(n_regions)]
    for a, b in pairs.tolist():
        touching[a].add(b)
        touching[b].add(a)
    return [np.array(sorted(others), dtype=int) for others in touching]


def parcellate(n_regions: int, *, n_iter: int = 40, seed: int = 0) -> NDArray:
    """Cut the cortex into connected parcels of similar area.

    Centroidal Voronoi cells along the surface: each vertex joins its nearest centre
    (shortest path over mesh edges, so that cells are connected), then each centre
    moves to the vertex nearest its cell's centre of mass. Large cells are charged a
    toll that lets their neighbours grow, which evens the areas out.

    Parameters
    ----------
    n_regions : int
        Parcels over both hemispheres, shared by cortical area.
    n_iter : int
        Rounds of assignment and re-centring.
    seed : int | Generator
        Draws the first centre.

    Returns
    -------
    region_of_vertex : array of int, shape (n_vertices,)
        -1 in the medial wall.
    """
    surface = _fsaverage5()
    vertices, faces = surface["vertices"], surface["faces"]
    _, areas = _normals_and_areas(vertices, faces)
    edges = _edges(faces)
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
    # One node per cell stands before its centre; the edge to it carries the toll.
    gates = n_points + np.arange(n_cells)
    centers = _spread_centers(points, edges, lengths, n_cells, rng)
    mean_area = areas.sum() / n_cells
    radius = np.sqrt(mean_area / np.pi)
    toll = np.full(n_cells, radius)
    best, best_spread = None, np.inf
    for _ in range(n_iter):
        rows = np.concatenate([edges[:, 0], edges[:, 1], gates])
        cols = np.concatenate([edges[:, 1], edges[:, 0], centers])
        graph = sparse.csr_array(
            (np.concatenate([lengths, lengths, toll]), (rows, cols)),
            shape=(n_points + n_cells,) * 2,
        )
        _, _, source = dijkstra(
            graph, indices=gates, min_only=True, return_predecessors=True
        )
        cell = source[:n_points] - n_points
        size = np.bincount(cell, areas, n_cells)
        if size.min() > 0 and size.std() < best_spread:
            best, best_spread = cell, size.std()
        toll = np.maximum(toll + 0.1 * radius * (size / mean_area - 1), 0.05 * radius)
        centers = _nearest_to_mass(points, areas, cell, centers)
    if best is None:
        msg = f"n_regions: {n_cells} parcels do not fit in a hemisphere; ask for fewer."
        raise ValueError(msg)
    return best


def _spread_centers(
    points: NDArray,
    edges: NDArray,
    lengths: NDArray,
    n_cells: int,
    rng: np.random.Generator,
) -> NDArray:
    """Choose centres one by one, each the point farthest from those before."""
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
    """Move each centre to the point of its cell nearest the cell's centre of mass."""
    moved = centers.copy()
    for k in range(len(centers)):
        members = np.flatnonzero(cell == k)
        if len(members):
            mass = np.average(points[members], axis=0, weights=areas[members])
            moved[k] = members[np.argmin(((points[members] - mass) ** 2).sum(axis=1))]
    return moved
