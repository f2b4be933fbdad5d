"""Linearly constrained minimum variance beamformer with unit noise gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import OptionError, check_option, check_range
from .patches import ring_patches
from .whitening import LARGEST, whiten

if TYPE_CHECKING:
    from ..head.model import HeadModel

LEDOIT_WOLF = "ledoit_wolf"
"""Regularize the data covariance by as much as the data demand."""


def solve(
    eeg: np.ndarray,
    head: HeadModel,
    *,
    noise_cov: np.ndarray | None = None,
    reg: float | str = 0.05,
    n_steps: int = 0,
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
    noise_cov : array of shape (n_channels, n_channels) | None
        Noise covariance, V^2. By default equal and independent on all channels.
    reg : float | "ledoit_wolf"
        Share of the mean eigenvalue that is added to the diagonal of the whitened
        data covariance. The paper does not say which was used; 0.05 is MNE's
        default. ``"ledoit_wolf"`` shrinks the covariance by what the samples demand.
    n_steps : int
        The filter of a region passes the region and all within so many steps along
        the mesh as one coherent source. With 0 it passes the region alone and takes
        neighbors of one time course for interference, which it cancels: an extended
        source then cancels itself, the more the less noise there is.

    Returns
    -------
    array of shape (n_times, n_regions)
        Activity in units of the noise's standard deviation where ``noise_cov`` is
        given, V otherwise.

    Raises
    ------
    OptionError
        ``reg`` or ``n_steps`` is negative, or ``reg`` is 0 where the covariance cannot
        be inverted.
    SignalError
        As of :func:`~deepsif_lite.solvers.whiten`.

    References
    ----------
    Van Veen et al. (1997), IEEE Transactions on Biomedical Engineering 44, 867-880;
    Sekihara and Nagarajan (2008). Equal to MNE-Python's LCMV with fixed orientation.
    """
    check_range("n_steps", n_steps, 0)
    data, gain = whiten(np.asarray(eeg, dtype=float), head, noise_cov)
    if n_steps > 0:
        patches = ring_patches(head.cortex, n_steps)[-gain.shape[1] :]
        gain = (patches @ gain.T).T / patches.sum(axis=1)
    filters = np.linalg.solve(_data_covariance(data, reg, len(head.leadfield)), gain)
    filters /= np.linalg.norm(filters, axis=0)
    return data.T @ filters


def _data_covariance(data: np.ndarray, reg: float | str, n_channels: int) -> np.ndarray:
    """Return the regularized covariance of whitened data."""
    if isinstance(reg, str):
        from sklearn.covariance import ledoit_wolf

        check_option("reg", reg, (LEDOIT_WOLF,))
        scale = data.std() or 1.0  # scikit-learn loses precision near 1e-6 (volts)
        return ledoit_wolf(data.T / scale)[0] * scale**2
    check_range("reg", reg, 0, LARGEST)
    cov = np.cov(data)
    if reg == 0 and np.linalg.matrix_rank(cov) < len(cov):
        msg = (
            f"reg is {reg}, but the covariance of {data.shape[1]} samples over "
            f"{n_channels} channels needs reg > 0 to be inverted."
        )
        raise OptionError(msg)
    # MNE's mean runs over all channels, the dimension of the reference included.
    cov += reg * np.trace(cov) / n_channels * np.eye(len(cov))
    return cov
