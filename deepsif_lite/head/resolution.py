"""What a linear method makes of a point source: resolution matrix and its measures.

A linear inverse K turns the scalp map of source j, column j of the leadfield G, into
column j of the resolution matrix R = K G: its point spread. Measures and their names
follow Molins et al. (2008, doi:10.1016/j.neuroimage.2008.05.064) and MNE-Python's
:func:`mne.minimum_norm.resolution_metrics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import check_option, check_range

if TYPE_CHECKING:
    from ..cortex.surface import Cortex
    from .model import HeadModel

LINEAR_METHODS = ("minimum-norm", "sloreta")


def resolution_matrix(
    head: HeadModel, method: str = "sloreta", *, lambda2: float = 1 / 9
) -> NDArray:
    r"""Compute the resolution matrix of a minimum-norm method.

    White noise, equal prior variance everywhere (no depth weighting). With
    :math:`G = U S V^T` scaled to :math:`\mathrm{tr}(G G^T) = \mathrm{rank}`, the
    minimum norm gives :math:`R = V \frac{S^2}{S^2 + \lambda^2} V^T`; sLORETA divides
    row i by :math:`\sqrt{R_{ii}}`.

    Parameters
    ----------
    head : HeadModel
        EEG is brought to the average reference, MEG has no reference.
    method : {"sloreta", "minimum-norm"}
    lambda2 : float
        Regularization, 1 / SNR^2 of the amplitude.

    Returns
    -------
    array of shape (n_regions, n_regions)
        Column j: estimate for source j alone. No unit.

    Raises
    ------
    OptionError
        The method is unknown, or ``lambda2`` is not positive.

    References
    ----------
    Pascual-Marqui RD (2002). Methods and Findings in Experimental and Clinical
    Pharmacology 24 D, 5-12.
    """
    check_option("method", method, LINEAR_METHODS)
    check_range("lambda2", lambda2, 0, open_low=True)
    gain = head.referenced_leadfield
    singular, v = np.linalg.svd(gain, full_matrices=False)[1:]
    lost = int(head.modality == "eeg")  # to the reference
    rank = min(len(gain) - lost, gain.shape[1])
    power = (singular[:rank] ** 2) * rank / (singular[:rank] ** 2).sum()
    weighted = v[:rank] * (power / (power + lambda2))[:, None]
    resolution = weighted.T @ v[:rank]
    if method == "sloreta":
        resolution /= np.sqrt(np.diag(resolution))[:, None]
    return resolution


def peak_error(resolution: NDArray, cortex: Cortex) -> NDArray:
    """Return how far the largest magnitude of each point spread is from its source.

    Parameters
    ----------
    resolution : array of shape (n_regions, n_regions)
        See :func:`resolution_matrix`.
    cortex : Cortex
        Distances between the centers of its parcels.

    Returns
    -------
    array of shape (n_regions,)
        Meters.
    """
    peaks = np.abs(resolution).argmax(axis=0)
    return cortex.distances[peaks, np.arange(len(peaks))]


def spatial_deviation(resolution: NDArray, cortex: Cortex) -> NDArray:
    """Return how wide each point spread is around its source.

    The root mean square distance from the source, weighted by the squared estimate.

    Parameters
    ----------
    resolution : array of shape (n_regions, n_regions)
        See :func:`resolution_matrix`.
    cortex : Cortex
        Distances between the centers of its parcels.

    Returns
    -------
    array of shape (n_regions,)
        Meters.
    """
    power = resolution**2
    moment = (cortex.distances**2 * power).sum(axis=0)
    return np.sqrt(moment / power.sum(axis=0))
