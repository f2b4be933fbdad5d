"""Linearly constrained minimum variance beamformer with unit noise gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import OptionError, check_range
from .whitening import LARGEST, whiten

if TYPE_CHECKING:
    from ..head.model import HeadModel


def solve(
    eeg: np.ndarray,
    head: HeadModel,
    *,
    noise_cov: np.ndarray | None = None,
    reg: float = 0.05,
) -> np.ndarray:
    r"""Estimate the activity of each region by a unit-noise-gain beamformer.

    With whitened leadfield g of a region and whitened data covariance C,

    .. math:: w = C^{-1} g / \sqrt{g^T C^{-2} g}

    The covariance is taken over the samples given, after their mean is subtracted.

    Parameters
    ----------
    eeg : array of shape (n_times, n_channels)
        EEG, V, in the order of the head model's channels.
    head : HeadModel
        Leadfield, V/(A m).
    noise_cov : array of shape (n_channels, n_channels), optional
        Noise covariance, V^2. By default equal and independent on all channels.
    reg : float
        Share of the mean eigenvalue that is added to the diagonal of the whitened
        data covariance. The paper does not say which was used; 0.05 is MNE's
        default.

    Returns
    -------
    array of shape (n_times, n_regions)
        Activity in units of the noise's standard deviation where ``noise_cov`` is
        given, V otherwise.

    Raises
    ------
    OptionError
        ``reg`` is negative, or 0 where the covariance cannot be inverted.
    SignalError
        As of :func:`~deepsif_lite.solvers.whiten`.

    References
    ----------
    Van Veen et al. (1997), IEEE Transactions on Biomedical Engineering 44, 867-880;
    Sekihara and Nagarajan (2008). Equal to MNE-Python's LCMV with fixed orientation.
    """
    check_range("reg", reg, 0, LARGEST)
    eeg = np.asarray(eeg, dtype=float)
    data, gain = whiten(eeg, head, noise_cov)
    cov = np.cov(data)
    if reg == 0 and np.linalg.matrix_rank(cov) < len(cov):
        msg = (
            f"reg is {reg}, but the covariance of {data.shape[1]} samples over "
            f"{eeg.shape[1]} channels needs reg > 0 to be inverted."
        )
        raise OptionError(msg)
    # MNE's mean runs over all channels, the dimension of the reference included.
    cov += reg * np.trace(cov) / eeg.shape[1] * np.eye(len(cov))
    filters = np.linalg.solve(cov, gain)
    filters /= np.linalg.norm(filters, axis=0)
    return data.T @ filters
