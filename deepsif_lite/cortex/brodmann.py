"""Brodmann areas as sets of regions, to say where a source lies."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..recordings.published import fetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .surface import Cortex

VISUAL = (17, 18)
"""Primary and secondary visual cortex."""

TEMPORAL = (20, 21, 22, 27, 28, 35, 36, 37, 38, 41, 42)
"""Brodmann areas of the temporal lobe, lateral, ventral and mesial."""

_ANNOTATION = "deepsif/anatomy/fsaverage5/label/{}.PALS_B12_Brodmann.annot"
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
