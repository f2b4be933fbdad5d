"""How well an estimate matches the tissue that was resected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .scores import f_measure, precision_recall

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels


def score_resection(
    strength: NDArray, found: NDArray, resection: NDArray, cortex: Parcels
) -> dict[str, float]:
    """Compare an estimate with the tissue that was resected.

    Parameters
    ----------
    strength : array of shape (n_regions,)
        Map of the estimate around the spike's peak, not negative.
    found : array of int
        Regions selected from the map.
    resection : array of int
        Resected regions.
    cortex : Cortex
        Distances and areas of the regions.

    Returns
    -------
    dict of str to float
        ``precision``, ``recall`` (shares of area), their ``harmonic_mean`` and
        ``geometric_mean``, ``spatial_dispersion`` (m). NaN where nothing was
        selected, but recall and both means are then 0.

    References
    ----------
    Sun et al. (2022), Methods and Fig. 6.
    """
    precision, recall = precision_recall(found, resection, cortex.areas)
    return {
        "precision": precision,
        "recall": recall,
        "harmonic_mean": f_measure(precision, recall),
        "geometric_mean": float(np.sqrt(np.nan_to_num(precision) * recall)),
        "spatial_dispersion": spatial_dispersion(
            strength, found, resection, cortex.distances
        ),
    }


def spatial_dispersion(
    strength: NDArray, found: NDArray, truth: NDArray, distances: NDArray
) -> float:
    """Mean distance from the estimate to the truth, weighted by the estimate.

    SD = sum_i w_i min_j d(i, j), with i over ``found``, j over ``truth`` and w the
    strength divided by its sum over ``found``.

    Parameters
    ----------
    strength : array of shape (n_regions,)
        Non-negative map.
    found, truth : array of int
        Selected regions and the true (or resected) ones.
    distances : array of shape (n_regions, n_regions)
        Distance between regions, m.

    Returns
    -------
    float
        Dispersion, m; NaN where nothing was found.
    """
    if not len(found):
        return float("nan")
    nearest = distances[np.ix_(found, truth)].min(axis=1)
    return float(np.average(nearest, weights=strength[found]))
