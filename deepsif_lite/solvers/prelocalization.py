r"""Where sources may be, before they are estimated: scores of regions, and parcels.

Multivariate source prelocalization (Mattout, Pelegrini-Issac, Garnero and Benali 2005)
asks how well the topography of a region lies in the space of the data. Of the unit
topographies :math:`G = U \Lambda V^T` those components are kept that the data use
most, and a region's score is the share of its topography in the data as these
components see them: 0 to 1. Regions of high score then collect their neighbors into
parcels (Lapalme, Lina and Mattout 2006).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHARE = 0.95
"""Of the leadfield's spectrum, and of the data's energy, that is kept, as published."""

SMALLEST = 3
"""Regions that a parcel has at least where it starts."""


def prelocalization_scores(
    gain: NDArray, topographies: NDArray, share: float = SHARE
) -> NDArray:
    r"""Score each region by each of several topographies.

    Parameters
    ----------
    gain : array of shape (n_channels, n_regions)
        Leadfield, any unit.
    topographies : array of shape (n_channels, n_topographies)
        Data, any unit.
    share : float
        Of the sum of singular values of the unit leadfield that is kept.

    Returns
    -------
    array of shape (n_topographies, n_regions)
        0 to 1. Of one topography d, and with the kept components :math:`U_t`, this is
        the squared cosine between a region's topography and :math:`U_t U_t^T d`: the
        projector on one vector, which the method writes by a pseudoinverse.
    """
    unit = gain / np.linalg.norm(gain, axis=0)
    u, spectrum, _ = np.linalg.svd(unit, full_matrices=False)
    weights = u.T @ topographies
    order = np.argsort(-(weights**2), axis=0)
    total = np.cumsum(spectrum[order], axis=0)
    before = (
        total - spectrum[order]
    )  # a component is kept while those before fall short
    kept = np.zeros_like(weights)
    np.put_along_axis(kept, order, before < share * total[-1], axis=0)
    seen = u @ (kept * weights)
    seen /= np.linalg.norm(seen, axis=0)
    return (seen.T @ unit) ** 2


def space_time_scores(gain: NDArray, data: NDArray, share: float = SHARE) -> NDArray:
    """Score each region at each sample.

    Parameters
    ----------
    gain : array of shape (n_channels, n_regions)
        Leadfield, any unit.
    data : array of shape (n_channels, n_times)
        Any unit.
    share : float
        Of the energy of the data that the components hold which are scored.

    Returns
    -------
    array of shape (n_times, n_regions)
        Scores of the components by :func:`prelocalization_scores`, each weighted by
        how strong the component is at the sample; the largest is 1.
    """
    u, s, v = np.linalg.svd(data, full_matrices=False)
    n_kept = 1 + int(np.searchsorted(np.cumsum(s**2), share * (s @ s)))
    strength = np.abs(s[:n_kept, None] * v[:n_kept])
    scores = strength.T @ prelocalization_scores(gain, u[:, :n_kept], share)
    return scores / scores.max()


def grow_parcels(scores: NDArray, near: NDArray) -> NDArray:
    """Divide the cortex into parcels around the regions of high score.

    Parameters
    ----------
    scores : array of shape (n_regions,)
        Regions are visited from the highest to the lowest.
    near : array of bool, shape (n_regions, n_regions)
        Which regions a region would collect, itself among them.

    Returns
    -------
    array of int, shape (n_regions,)
        Parcel of each region, counted from 0 in the order in which they started. A
        region that is left over joins the first of the parcels around it.
    """
    parcels = np.full(len(scores), -1)
    n_parcels = 0
    for region in np.argsort(-scores, kind="stable"):
        members = near[region] & (parcels < 0)
        if members[region] and members.sum() >= SMALLEST:
            parcels[members] = n_parcels
            n_parcels += 1
    while (free := np.flatnonzero(parcels < 0)).size:
        touching = [region for region in free if (parcels[near[region]] >= 0).any()]
        for region in touching:
            around = parcels[near[region]]
            parcels[region] = around[around >= 0].min()
        if not touching:  # regions that no parcel reaches
            parcels[free[0]] = n_parcels
            n_parcels += 1
    return parcels
