"""Minimum norm, and dSPM that divides it by the noise; what sLORETA shares with them.

Each is equal to that of MNE-Python with fixed orientation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import check_option, check_range
from ..signals import referenced
from .whitening import LARGEST, whiten

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead

GCV = "gcv"
"""Choose the regularization by generalized cross-validation."""
LAMBDA2 = 1 / 9
"""For an SNR of 3, MNE's default."""

_DEPTH_LIMIT = 10.0
"""Leadfields weaker than the strongest by more than this factor weigh the same."""
_GCV_RANGE = (1e-4, 1e4)  # of lambda2; an SNR of 100 to .01
_GCV_POINTS = 81  # evenly in the logarithm, a tenth of a decade apart


@dataclass
class MinimumNorm:
    r"""The minimum-norm estimate in the eigenvectors of :math:`G R G^T`.

    Attributes
    ----------
    prior : array of shape (n_regions,)
        Prior standard deviation of each region, scaled so that the power of the
        whitened leadfield is its rank.
    power : array of shape (n_channels - 1,)
        Eigenvalues of the weighted leadfield.
    vs : array of shape (n_regions, n_channels - 1)
        Right singular vectors times singular values.
    projected : array of shape (n_channels - 1, n_times)
        Data along the left singular vectors.
    lambda2 : float
    """

    prior: NDArray
    power: NDArray
    vs: NDArray
    projected: NDArray
    lambda2: float

    @property
    def standardized(self) -> NDArray:
        """Estimate divided by the prior standard deviation, (n_regions, n_times)."""
        return (self.vs / (self.power + self.lambda2)) @ self.projected

    @property
    def resolution(self) -> NDArray:
        """Square root of the diagonal of the resolution matrix, (n_regions,)."""
        return np.linalg.norm(self.vs / np.sqrt(self.power + self.lambda2), axis=1)

    @property
    def noise(self) -> NDArray:
        """Standard deviation of each region by noise alone, (n_regions,)."""
        return np.linalg.norm(self.vs / (self.power + self.lambda2), axis=1)


def minimum_norm(
    eeg: NDArray,
    head: HeadModel | TrainingHead,
    noise_cov: NDArray | None,
    lambda2: float | str,
    depth: float | None,
) -> MinimumNorm:
    """Compute what the methods of this family share, see :func:`solve_mne`."""
    if isinstance(lambda2, str):
        check_option("lambda2", lambda2, (GCV,))
    else:
        check_range("lambda2", lambda2, 0, LARGEST, open_low=True)
    if depth is not None:
        check_range("depth", depth, 0, LARGEST)
    data, gain = whiten(eeg, head, noise_cov)
    prior = np.sqrt(_depth_prior(referenced(head.leadfield, head.modality), depth))
    weighted = gain * prior
    scale = np.sqrt(len(gain)) / np.linalg.norm(weighted)  # trace(G R G') = rank
    # U and S^2 from the small matrix G R G' (ten times quicker); G' U is then V S.
    power, u = np.linalg.eigh((weighted * scale) @ (weighted * scale).T)
    vs, projected = (weighted * scale).T @ u, u.T @ data
    if isinstance(lambda2, str):
        lambda2 = cross_validated(power, projected)
    return MinimumNorm(prior * scale, power, vs, projected, lambda2)


def cross_validated(power: NDArray, projected: NDArray) -> float:
    r"""Choose lambda2 by generalized cross-validation.

    It minimizes :math:`\|x - \hat x\|^2 / \mathrm{tr}(I - H)^2`, for the estimate
    :math:`\hat x = H x` of the data: about the error of predicting each channel from
    all others.

    Parameters
    ----------
    power : array of shape (n_channels - 1,)
        Eigenvalues of the weighted leadfield.
    projected : array of shape (n_channels - 1, n_times)
        Data along its eigenvectors.

    Returns
    -------
    float

    References
    ----------
    Golub GH, Heath M, Wahba G (1979). Technometrics 21, 215-223.
    """
    lambda2 = np.geomspace(*_GCV_RANGE, _GCV_POINTS)
    left = 1 / (power + lambda2[:, None])  # the residual's filter, over lambda2
    misfit = left**2 @ (projected**2).sum(axis=1)
    return float(lambda2[(misfit / left.sum(axis=1) ** 2).argmin()])


def solve_mne(
    eeg: NDArray,
    head: HeadModel | TrainingHead,
    *,
    noise_cov: NDArray | None = None,
    lambda2: float | str = LAMBDA2,
    depth: float | None = 0.8,
) -> NDArray:
    """Estimate the activity of each region by the minimum norm.

    Parameters
    ----------
    eeg : array of shape (n_times, n_channels)
        EEG, V, in the order of the head model's channels.
    head : HeadModel | TrainingHead
        Leadfield, V/(A m).
    noise_cov : array of shape (n_channels, n_channels) | None
        Noise covariance, V^2. By default equal and independent on all channels.
    lambda2 : float | "gcv"
        Regularization, 1 / SNR^2 of the amplitude; 1/9 is MNE's default. ``"gcv"``
        chooses it by generalized cross-validation over the channels.
    depth : float | None
        Exponent of the depth weighting of the prior variance; None for none.

    Returns
    -------
    array of shape (n_times, n_regions)
        Activity, A m.

    Raises
    ------
    OptionError
        ``lambda2`` is not positive, nor ``"gcv"``.
    SignalError
        As of :func:`~deepsif_lite.solvers.whiten`.

    References
    ----------
    Hamalainen MS, Ilmoniemi RJ (1994). Medical & Biological Engineering & Computing
    32, 35-42.
    """
    found = minimum_norm(eeg, head, noise_cov, lambda2, depth)
    return (found.prior[:, None] * found.standardized).T


def solve_dspm(
    eeg: NDArray,
    head: HeadModel | TrainingHead,
    *,
    noise_cov: NDArray | None = None,
    lambda2: float | str = LAMBDA2,
    depth: float | None = 0.8,
) -> NDArray:
    """Estimate the activity of each region by dSPM: minimum norm over its noise.

    Parameters
    ----------
    eeg, head, noise_cov, lambda2, depth
        As of the minimum norm, ``get_solver("mne")``.

    Returns
    -------
    array of shape (n_times, n_regions)
        Activity in units of the noise's standard deviation where ``noise_cov`` is
        given, V otherwise.

    Raises
    ------
    OptionError
        ``lambda2`` is not positive, nor ``"gcv"``.
    SignalError
        As of :func:`~deepsif_lite.solvers.whiten`.

    References
    ----------
    Dale AM et al. (2000). Neuron 26, 55-67.
    """
    found = minimum_norm(eeg, head, noise_cov, lambda2, depth)
    return (found.standardized / found.noise[:, None]).T


def _depth_prior(leadfield: NDArray, depth: float | None) -> NDArray:
    """Prior variance of each region, growing with depth up to a limit."""
    if depth is None:
        return np.ones(leadfield.shape[1])
    weights = 1 / (leadfield**2).sum(axis=0)
    return np.minimum(weights / (_DEPTH_LIMIT**2 * weights.min()), 1) ** depth
