"""Patches that grow step by step along the mesh, as candidates for sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels


def ring_patches(cortex: Parcels, n_steps: int) -> NDArray[np.bool_]:
    """Return each region with all within 0, 1, ..., ``n_steps`` steps.

    Parameters
    ----------
    cortex : Cortex
    n_steps : int

    Returns
    -------
    members : array of bool, shape ((n_steps + 1) * n_regions, n_regions)
        Of one size after the other.
    """
    adjacency = cortex.adjacency.astype(np.float32)
    sizes = [np.eye(cortex.n_regions, dtype=bool)]
    for _ in range(n_steps):
        sizes.append(sizes[-1] | (sizes[-1].astype(np.float32) @ adjacency > 0))
    return np.concatenate(sizes)
