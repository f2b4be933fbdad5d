"""Patches that grow step by step along the mesh, as candidates for sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy.sparse import csr_array, diags_array, eye_array, vstack

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
    members : sparse array of shape ((n_steps + 1) * n_regions, n_regions)
        1 for the regions of a patch. Patches of one size follow each other.
    """
    whole, step = _none_and_one_step(cortex)
    sizes = [whole]
    for _ in range(n_steps):
        reached = sizes[-1] @ step
        reached.data[:] = 1
        sizes.append(reached)
    return vstack(sizes, format="csr")


def smooth_patches(cortex: Parcels, n_steps: int) -> csr_array:
    """Return patches of 1, ..., ``n_steps`` steps that fade towards their rim.

    Parameters
    ----------
    cortex : Cortex
    n_steps : int

    Returns
    -------
    weights : sparse array of shape (n_steps * n_regions, n_regions)
        A region's activity over that of the strongest, after as many times a region
        was averaged with its neighbors as there are steps. Patches of one size follow
        each other.
    """
    whole, step = _none_and_one_step(cortex)
    average = diags_array(1 / step.sum(axis=1)) @ step
    sizes, spread = [csr_array((0, cortex.n_regions))], whole
    for _ in range(n_steps):
        spread = spread @ average
        strongest = spread.max(axis=1).toarray().ravel()
        sizes.append(diags_array(1 / strongest) @ spread)
    return csr_array(vstack(sizes, format="csr"))


def _none_and_one_step(cortex: Parcels) -> tuple[csr_array, csr_array]:
    """Return which regions no step reaches from each, and which one step does."""
    whole = eye_array(cortex.n_regions, format="csr")
    return whole, csr_array(cortex.adjacency, dtype=float) + whole
