"""The cortex as a list of parcels: where they are, how large, who touches whom.

Two cortices share the fsaverage5 surface (20,484 vertices, left hemisphere first):
the *template*, parceled here from what nilearn ships, and the *published* one of
the DeepSIF authors (994 regions; Sun et al. 2022, Methods, "Simulating Synthetic
Dataset").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial.distance import cdist

from ..errors import OptionError
from ..mesh import mesh_edges, normals_and_areas
from .fsaverage import load_fsaverage5
from .parcellation import parcellate, stored_parcellation
from .parcels import Parcels


@dataclass(frozen=True, eq=False)
class Cortex(Parcels):
    """A parceled fsaverage5 cortex: its :class:`Parcels` and the surface they cut.

    Attributes
    ----------
    vertices : array of shape (n_vertices, 3)
        Pial surface, meters, fsaverage RAS; left hemisphere first.
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
        Area-weighted center of each parcel, meters, fsaverage RAS.
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

    def to_vertices(self, values: NDArray, fill: float = 0.0) -> NDArray:
        """Spread one value a parcel over its vertices.

        Parameters
        ----------
        values : array of shape (n_regions, ...)
            One value (or row) a parcel.
        fill : float
            Value of vertices outside every parcel.
        """
        kind = np.result_type(values, fill)
        padded = np.concatenate([values, np.full((1, *values.shape[1:]), fill, kind)])
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
    OptionError
        ``n_regions`` is not a number of parcels the surface can hold.
    RecordingUnavailable
        The published files cannot be reached.
    ArtifactError
        The shipped parcellation is damaged.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> cortex = dl.load_cortex()
    >>> cortex.n_regions
    994
    >>> cortex.centroids.shape
    (994, 3)
    """
    if n_regions == "published":
        return _published_cortex()
    is_count = isinstance(n_regions, (int, np.integer)) and 2 <= n_regions <= 2000
    if not is_count:
        msg = (
            f"n_regions={n_regions!r} must be 'published' or a number of parcels "
            "between 2 and 2000 (fsaverage5 has 20,484 vertices)."
        )
        raise OptionError(msg)
    return _template_cortex(int(n_regions))


@lru_cache(maxsize=4)
def _template_cortex(n_regions: int) -> Cortex:
    region_of_vertex = stored_parcellation(n_regions)
    if region_of_vertex is None:
        region_of_vertex = parcellate(n_regions)
    return _assemble(f"template-{n_regions}", region_of_vertex)


@lru_cache(maxsize=1)
def _published_cortex() -> Cortex:
    from scipy.io import loadmat

    from ..recordings.published import fetch

    mapping = loadmat(fetch("deepsif/anatomy/fs_cortex_20k_region_mapping.mat"))
    return _assemble("published", mapping["rm"].ravel().astype(int))


def _assemble(name: str, region_of_vertex: NDArray) -> Cortex:
    """Derive everything a cortex knows from its surface and its parcels."""
    surface = load_fsaverage5()
    vertices, faces = surface["vertices"], surface["faces"]
    normals, vertex_areas = normals_and_areas(vertices, faces)
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
    first = np.flatnonzero(inside)[
        np.unique(region_of_vertex[inside], return_index=True)[1]
    ]
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


def _parcel_neighbors(
    faces: NDArray, region_of_vertex: NDArray, n_regions: int
) -> list[NDArray]:
    """Two parcels are neighbors when a mesh edge joins them (symmetric by nature)."""
    pairs = region_of_vertex[mesh_edges(faces)]
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs >= 0).all(axis=1)]
    touching = sparse.csr_array(
        (np.ones(len(pairs), dtype=bool), pairs.T), shape=(n_regions, n_regions)
    )
    touching = sparse.csr_array(touching + touching.T)
    touching.sort_indices()
    return [
        each.astype(int) for each in np.split(touching.indices, touching.indptr[1:-1])
    ]
