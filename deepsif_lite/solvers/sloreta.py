"""Standardized low-resolution electromagnetic tomography (sLORETA)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import check_range
from ..signals import average_reference
from .whitening import LARGEST, whiten

if TYPE_CHECKING:
    from ..head.model import HeadModel

_DEPTH_LIMIT = 10.0
"""Leadfields weaker than the strongest by more than this factor weigh the same."""


def solve(
    eeg: np.ndarray,
    head: HeadModel,
    *,
    noise_cov: np.ndarray | None = None,
    lambda2: float = 1 / 9,
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
    noise_cov : array of shape (n_channels, n_channels), optional
        Noise covariance, V^2. By default equal and independent on all channels.
    lambda2 : float
        Regularization, 1 / SNR^2 of the amplitude. The paper does not say which was
        used; 1/9 (for an SNR of 3) is MNE's default.
    depth : float or None
        Exponent of the depth weighting of the prior variance R. The default is
        MNE's; None for none.

    Returns
    -------
    array of shape (n_times, n_regions)
        Standardized activity, no unit.

    Raises
    ------
    OptionError
        ``lambda2`` is not positive.
    SignalError
        As of :func:`~deepsif_lite.solvers.whiten`.

    References
    ----------
    Pascual-Marqui RD (2002). Methods and Findings in Experimental and Clinical
    Pharmacology 24 D, 5-12. In the form of MNE-Python, to which it is equal.
    """
    check_range("lambda2", lambda2, 0, LARGEST, open_low=True)
    if depth is not None:
        check_range("depth", depth, 0, LARGEST)
    data, gain = whiten(eeg, head, noise_cov)
    prior = _depth_prior(head.leadfield, depth)
    weighted = gain * np.sqrt(prior)
    scale = np.sqrt(len(gain)) / np.linalg.norm(weighted)  # trace(G R G') = rank
    # U and S^2 from the small matrix G R G' (ten times quicker); G' U is then V S.
    power, u = np.linalg.eigh((weighted * scale) @ (weighted * scale).T)
    vs = (weighted * scale).T @ u
    estimate = (vs / (power + lambda2)) @ (u.T @ data)
    resolution = np.linalg.norm(vs / np.sqrt(power + lambda2), axis=1)
    # R^1/2 multiplies the estimate and its standard deviation alike: it cancels.
    return (np.sqrt(lambda2) * estimate / resolution[:, None]).T


def _depth_prior(leadfield: np.ndarray, depth: float | None) -> np.ndarray:
    """Prior variance of each region, growing with depth up to a limit."""
    if depth is None:
        return np.ones(leadfield.shape[1])
    weights = 1 / (average_reference(leadfield) ** 2).sum(axis=0)
    return np.minimum(weights / (_DEPTH_LIMIT**2 * weights.min()), 1) ** depth
