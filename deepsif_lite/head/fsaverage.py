"""Landmarks and surfaces of fsaverage's head that MNE-Python ships."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=1)
def fiducials() -> NDArray:
    """Return left ear, nasion and right ear of fsaverage, meters, MRI frame."""
    import mne

    points, _ = mne.io.read_fiducials(fsaverage_file("fiducials"), verbose=False)
    return np.array([point["r"] for point in points], dtype=float)


def fsaverage_file(part: str) -> Path:
    """Return the path of one of fsaverage's files in MNE-Python, such as ``"head"``."""
    import mne

    return Path(mne.__file__).parent / "data" / "fsaverage" / f"fsaverage-{part}.fif"


def mri_to_head() -> NDArray:
    """Return the transform from fsaverage's MRI frame to its head frame, (4, 4), m."""
    import mne

    left, nasion, right = fiducials()
    landmarks = mne.channels.make_dig_montage(
        nasion=nasion, lpa=left, rpa=right, coord_frame="mri"
    )
    return mne.channels.compute_native_head_t(landmarks)["trans"]
