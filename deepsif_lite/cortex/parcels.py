"""What a parcellation is where no surface is needed, as in training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import MismatchError


@dataclass(frozen=True, eq=False)
class Parcels:
    """Parcels of a cortex: how large, how far apart, who touches whom.

    Attributes
    ----------
    name : str
        ``"template-<n_regions>"`` or ``"published"``.
    n_regions : int
        Number of parcels.
    region_of_vertex : array of int, shape (n_vertices,)
        Parcel of each fsaverage5 vertex, -1 where there is none (medial wall).
    areas : array of shape (n_regions,)
        Pial area of each parcel, m^2.
    neighbors : list of array of int
        Parcels joined by a mesh edge; symmetric, never across hemispheres.
    distances : array of shape (n_regions, n_regions)
        Euclidean distance of the centroids, meters.
    inflated_centroids : array of shape (n_regions, 3)
        Parcel centers on the inflated surface, no unit. There, the direction from
        one parcel to another follows the cortical sheet.
    """

    name: str
    n_regions: int
    region_of_vertex: NDArray
    areas: NDArray
    neighbors: list[NDArray]
    distances: NDArray
    inflated_centroids: NDArray

    @cached_property
    def adjacency(self) -> NDArray:
        """Who touches whom, boolean array of shape (n_regions, n_regions)."""
        touching = np.zeros((self.n_regions, self.n_regions), dtype=bool)
        for region, others in enumerate(self.neighbors):
            touching[region, others] = True
        return touching

    @cached_property
    def n_neighbors(self) -> NDArray:
        """How many parcels touch each, array of int, shape (n_regions,)."""
        return self.adjacency.sum(axis=1)


def matching_parcels(ours: Parcels, theirs: Parcels) -> NDArray[np.int64]:
    """Find the parcel of another parcellation that shares most vertices with each.

    Parameters
    ----------
    ours, theirs : Parcels
        Of the same mesh.

    Returns
    -------
    array of int, shape (ours.n_regions,)
        A parcel of ``theirs`` for each of ``ours``; of several that share as many
        vertices, the first.

    Raises
    ------
    MismatchError
        One of our parcels lies where they have none.
    """
    both = (ours.region_of_vertex >= 0) & (theirs.region_of_vertex >= 0)
    shared = np.zeros((ours.n_regions, theirs.n_regions), dtype=int)
    pairs = (ours.region_of_vertex[both], theirs.region_of_vertex[both])
    np.add.at(shared, pairs, 1)
    alone = np.flatnonzero(~shared.any(axis=1))
    if len(alone):
        msg = (
            f"parcels {alone.tolist()} of {ours.name!r} lie outside those of "
            f"{theirs.name!r}; choose parcellations of the same surface."
        )
        raise MismatchError(msg)
    return shared.argmax(axis=1)
