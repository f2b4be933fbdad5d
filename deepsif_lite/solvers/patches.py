"""Patches that grow step by step along the mesh, as candidates for sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy.sparse import csr_array, eye_array, vstack

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels


def ring_patches(cortex: Parcels, n_steps: int) -> csr_array:
    """Return each region with all within 0, 1, ..., ``n_steps`` steps.

    Parameters
    ----------
    cortex : Cortex
    n_steps : int

    Returns
    -------
    members : sparse array, shape ((n_steps + 1) * n_regions, n_regions)
        1 for the regions of a patch. Patches of one size follow each other.
    """
    whole = eye_array(cortex.n_regions, format="csr")
    step = csr_array(cortex.adjacency, dtype=float) + whole
    sizes = [whole]
    for _ in range(n_steps):
        reached = sizes[-1] @ step
        reached.data[:] = 1
        sizes.append(reached)
    return vstack(sizes, format="csr")
