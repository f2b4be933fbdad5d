"""Standardized low-resolution electromagnetic tomography (sLORETA)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .minimum_norm import LAMBDA2, minimum_norm

if TYPE_CHECKING:
    from ..head.model import HeadModel


def solve(
    eeg: np.ndarray,
    head: HeadModel,
    *,
    noise_cov: np.ndarray | None = None,
    lambda2: float | str = LAMBDA2,
    depth: float | None = 0.8,
) -> np.ndarray:
    r"""Estimate the activity of each region by sLORETA.

    With the whitened leadfield :math:`G R^{1/2} = U S V^T` and whitened data x,

    .. math:: j = R^{1/2} V \frac{S}{S^2 + \lambda^2} U^T x

    is the minimum-norm estimate; each region is divided by the square root of its
    entry on the diagonal of the resolution matrix.

    Parameters
    ----------
    eeg : array of shape (n_times, n_channels)
        EEG, V, in the order of the head model's channels.
    head : HeadModel
        Leadfield, V/(A m).
    noise_cov : array of shape (n_channels, n_channels) | None
        Noise covariance, V^2. By default equal and independent on all channels.
    lambda2 : float | "gcv"
        Regularization, 1 / SNR^2 of the amplitude. The paper does not say which was
        used; 1/9 (for an SNR of 3) is MNE's default. ``"gcv"`` chooses it by
        generalized cross-validation over the channels.
    depth : float | None
        Exponent of the depth weighting of the prior variance R. The default is
        MNE's; None for none.

    Returns
    -------
    array of shape (n_times, n_regions)
        Standardized activity, no unit.

    Raises
    ------
    OptionError
        ``lambda2`` is not positive, nor ``"gcv"``.
    SignalError
        As of :func:`~deepsif_lite.solvers.whiten`.

    References
    ----------
    Pascual-Marqui RD (2002). Methods and Findings in Experimental and Clinical
    Pharmacology 24 D, 5-12. In the form of MNE-Python, to which it is equal.
    """
    found = minimum_norm(eeg, head, noise_cov, lambda2, depth)
    # R^1/2 multiplies the estimate and its standard deviation alike: it cancels.
    scale = np.sqrt(found.lambda2) / found.resolution
    return (scale[:, None] * found.standardized).T
