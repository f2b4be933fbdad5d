"""The fsaverage5 surfaces that nilearn ships."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=1)
def load_fsaverage5() -> dict[str, NDArray]:
    """Read the surfaces nilearn ships; lengths in meters."""
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
