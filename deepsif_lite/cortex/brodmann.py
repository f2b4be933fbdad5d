"""Brodmann areas as sets of regions, to say where a source lies."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..errors import RecordingUnavailable
from ..recordings.published import fetch, find

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .surface import Cortex

VISUAL = (17, 18)
"""Primary and secondary visual cortex."""

TEMPORAL = (20, 21, 22, 27, 28, 35, 36, 37, 38, 41, 42)
"""Brodmann areas of the temporal lobe, lateral, ventral and mesial."""

_ANNOTATION = "deepsif/anatomy/fsaverage5/label/{}.PALS_B12_Brodmann.annot"
# From fsaverage's coordinates (MNI305, m) to those of MNI152; the last column is in m.
_TO_MNI152 = np.array(
    [
        [0.9975, -0.0073, 0.0176, -0.0429e-3],
        [0.0146, 1.0009, -0.0024, 1.5496e-3],
        [-0.0130, -0.0093, 0.9971, 1.1840e-3],
    ]
)
_NONE = 0  # Brodmann's areas count from 1


@lru_cache(maxsize=1)
def brodmann_of_vertex() -> NDArray:
    """Return the Brodmann area of each fsaverage5 vertex, 0 where there is none.

    Returns
    -------
    array of int, shape (20484,)
        Left hemisphere first.

    Raises
    ------
    RecordingUnavailable
        The atlas is not on this machine and cannot be downloaded.

    References
    ----------
    Van Essen DC (2005), NeuroImage 28, 635-662 (PALS-B12).
    """
    from nibabel.freesurfer import read_annot

    parts = []
    for hemisphere in ("lh", "rh"):
        labels, _, names = read_annot(fetch(_ANNOTATION.format(hemisphere)))
        numbers = np.array([_number(name.decode()) for name in names])
        parts.append(np.where(labels >= 0, numbers[labels], _NONE))
    return np.concatenate(parts)


def _number(name: str) -> int:
    prefix, _, number = name.partition(".")
    return int(number) if prefix == "Brodmann" else _NONE


def brodmann_regions(
    cortex: Cortex,
    areas: Iterable[int],
    hemisphere: str | None = None,
    *,
    share: float = 0.5,
) -> NDArray:
    """Return the regions that lie in Brodmann areas.

    Parameters
    ----------
    cortex : Cortex
        On fsaverage5.
    areas : iterable of int
        Their numbers, such as :data:`VISUAL`.
    hemisphere : {"lh", "rh"} | None
        By default both.
    share : float
        A region belongs to the areas if more than this share of its vertices does.

    Returns
    -------
    array of int
        Region indices in ascending order.

    Raises
    ------
    RecordingUnavailable
        The atlas is not on this machine and cannot be downloaded.
    """
    inside = cortex.region_of_vertex >= 0
    region = cortex.region_of_vertex[inside]
    member = np.isin(brodmann_of_vertex()[inside], list(areas))
    counts = np.bincount(region, minlength=cortex.n_regions)
    shares = np.bincount(region, member, minlength=cortex.n_regions) / counts
    chosen = shares > share
    if hemisphere is not None:
        chosen &= cortex.hemisphere == hemisphere
    return np.flatnonzero(chosen)


def area_names(cortex: Cortex) -> list[str]:
    """Return the Brodmann area that each region lies in, as ``BA 17``.

    Parameters
    ----------
    cortex : Cortex
        On fsaverage5.

    Returns
    -------
    list of str
        The area that holds most of the region's vertices; empty where there is none,
        and for all regions where the atlas is not on this machine (it is not asked
        for over the network).
    """
    try:
        here = all(find(_ANNOTATION.format(side)) for side in ("lh", "rh"))
    except RecordingUnavailable:
        here = False
    if not here:
        return [""] * cortex.n_regions
    inside = cortex.region_of_vertex >= 0
    region, area = cortex.region_of_vertex[inside], brodmann_of_vertex()[inside]
    counts = np.zeros((cortex.n_regions, area.max() + 1), int)
    np.add.at(counts, (region, area), 1)
    return [f"BA {number}" if number != _NONE else "" for number in counts.argmax(1)]


def mni_coordinates(points: np.ndarray) -> np.ndarray:
    """Turn coordinates of fsaverage (MNI305) into those of MNI152.

    Parameters
    ----------
    points : array of shape (n_points, 3)
        Meters.

    Returns
    -------
    array of shape (n_points, 3)
        Meters.

    References
    ----------
    FreeSurfer wiki, "CoordinateSystems", case 8: the affine between both templates.
    """
    return points @ _TO_MNI152[:, :3].T + _TO_MNI152[:, 3]
