"""The fsaverage5 surfaces that nilearn ships."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FOLDER = "nilearn/datasets/data/fsaverage5"


@lru_cache(maxsize=1)
def load_fsaverage5() -> dict[str, NDArray]:
    """Read the surfaces nilearn ships; lengths in meters.

    Its files are read by nibabel, for nilearn takes longer to import than imaging does.
    """
    (left, left_faces), (right, right_faces) = _read("pial")
    return {
        "vertices": np.vstack([left, right]) / 1e3,
        "faces": np.vstack([left_faces, right_faces + len(left)]).astype(int),
        "inflated": np.vstack([points for points, _ in _read("infl")]).astype(float),
        "sulc": np.concatenate(_read("sulc")).astype(float),
        "thickness": np.concatenate(_read("thick")).astype(float),
    }


@lru_cache(maxsize=1)
def load_registration() -> list[NDArray]:
    """Return where both hemispheres' vertices lie on the sphere of registration.

    FreeSurfer registers every brain to it (``sphere.reg``); its radius is one here.
    """
    spheres = [np.asarray(points, float) for points, _ in _read("sphere")]
    return [points / np.linalg.norm(points, axis=1)[:, None] for points in spheres]


def _read(kind: str) -> list:
    """Read the arrays of both hemispheres."""
    from nibabel.gifti import GiftiImage

    folder = Path(str(distribution("nilearn").locate_file(_FOLDER)))
    files = (folder / f"{kind}_{side}.gii.gz" for side in ("left", "right"))
    return [GiftiImage.from_filename(file).agg_data() for file in files]
