r"""The dual of the maximum entropy on the mean, and its maximum.

Each parcel k of the reference distribution is silent with probability
:math:`1 - \alpha_k` and otherwise Gaussian with mean 0 and covariance
:math:`\Sigma_k = R_k R_k^T`. Of all distributions of sources that explain the data m
up to noise of covariance :math:`\Sigma_d`, the one nearest to it (in the sense of
Kullback and Leibler) follows from the multipliers :math:`\lambda`, one a channel, that
maximize the concave function

.. math::
    D(\lambda) = \lambda^T m - \tfrac12 \lambda^T \Sigma_d \lambda
        - \sum_k \ln\left[1 - \alpha_k + \alpha_k e^{F_k}\right], \quad
    F_k = \tfrac12 |R_k^T G_k^T \lambda|^2

(Amblard, Lapalme and Lina 2004). Its gradient is what the data leave unexplained,

.. math::
    \nabla D = m - \Sigma_d \lambda - \sum_k a_k G_k \Sigma_k G_k^T \lambda, \quad
    a_k = \frac{\alpha_k}{\alpha_k + (1 - \alpha_k) e^{-F_k}}

where :math:`a_k` is the probability, after the data, that the parcel is active.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_STEPS = 10_000
_GRADIENT = 1e-9
"""Largest gradient at the maximum, as a share of that at the start."""
_MEMORY = 20  # past steps from which L-BFGS knows the curvature


@dataclass(frozen=True)
class Dual:
    """The dual functions of all samples of a window, which are independent.

    Attributes
    ----------
    data : array of shape (n_channels, n_times)
        Whitened, so that the covariance of noise is the identity.
    mixing : array of shape (n_channels, n_regions)
        ``G R``: what a unit of each region's own Gaussian variable adds to the data.
        Regions of one parcel stand side by side.
    starts : array of int, shape (n_parcels,)
        First region of each parcel.
    alphas : array of shape (n_parcels, n_times)
        Probability, before the data, that a parcel is active.
    powers : array of shape (n_parcels, n_times)
        Factor of the covariance of each parcel.
    """

    data: NDArray
    mixing: NDArray
    starts: NDArray
    alphas: NDArray
    powers: NDArray

    def value_and_gradient(self, multipliers: NDArray) -> tuple[NDArray, NDArray]:
        """Return the dual, shape (n_times,), and its gradient, as ``multipliers``.

        Parameters
        ----------
        multipliers : array of shape (n_channels, n_times)
        """
        latent = self.mixing.T @ multipliers
        active, log_partition = self._posterior(latent)
        latent *= self._of_regions(active * self.powers)
        value = (multipliers * (self.data - multipliers / 2)).sum(axis=0)
        gradient = self.data - multipliers - self.mixing @ latent
        return value - log_partition.sum(axis=0), gradient

    def expectation(self, multipliers: NDArray) -> tuple[NDArray, NDArray]:
        """Return the mean of the distribution that belongs to the multipliers.

        Parameters
        ----------
        multipliers : array of shape (n_channels, n_times)

        Returns
        -------
        latent : array of shape (n_regions, n_times)
            Mean of each region's own variable; ``R latent`` is the activity.
        active : array of shape (n_parcels, n_times)
            Probability that each parcel is active.
        """
        latent = self.mixing.T @ multipliers
        active, _ = self._posterior(latent)
        return latent * self._of_regions(active * self.powers), active

    def maximize(self) -> NDArray:
        """Return the multipliers at the maximum, shape (n_channels, n_times).

        One run of SciPy's L-BFGS serves all samples: their duals add up. It starts
        from 0 and runs in variables in which the curvature there is about 1 in every
        direction of every sample, without which it takes twenty times as long.
        """
        from scipy.optimize import minimize

        axes, stiffness = self._curvature()
        turned = Dual(
            axes.T @ self.data, axes.T @ self.mixing, self.starts, self.alphas,
            self.powers,
        )  # fmt: skip
        unit = 1 / np.sqrt(stiffness)
        size = np.abs(unit * turned.data).max()

        def negative(variables: NDArray) -> tuple[float, NDArray]:
            steps = size * unit * variables.reshape(unit.shape)
            value, gradient = turned.value_and_gradient(steps)
            return -value.sum() / size**2, -(unit * gradient).ravel() / size

        found = minimize(
            negative,
            np.zeros(unit.size),
            jac=True,
            method="L-BFGS-B",
            options={
                "maxiter": _MOST_STEPS,
                "maxfun": 2 * _MOST_STEPS,
                "maxcor": _MEMORY,
                "ftol": 0,
                "gtol": _GRADIENT,
            },
        )
        return axes @ (size * unit * found.x.reshape(unit.shape))

    def _posterior(self, latent: NDArray) -> tuple[NDArray, NDArray]:
        """Return the probability of each parcel and the logarithm of its partition."""
        energy = np.add.reduceat(latent**2, self.starts, axis=0) * self.powers / 2
        with np.errstate(divide="ignore"):  # parcels that are surely active or silent
            on, off = np.log(self.alphas) + energy, np.log1p(-self.alphas)
        log_partition = np.logaddexp(on, off)
        return np.exp(on - log_partition), log_partition

    def _curvature(self) -> tuple[NDArray, NDArray]:
        """Return directions of the mean curvature at 0, and in them that of each time.

        Shapes (n_channels, n_channels) and (n_channels, n_times).
        """
        variances = self._of_regions(self.alphas * self.powers)
        mean = (self.mixing * variances.mean(axis=1)) @ self.mixing.T
        axes = np.linalg.eigh(mean)[1]
        return axes, 1 + (axes.T @ self.mixing) ** 2 @ variances

    def _of_regions(self, of_parcels: NDArray) -> NDArray:
        """Give each region the value of its parcel."""
        ends = np.append(self.starts[1:], self.mixing.shape[1])
        return np.repeat(of_parcels, ends - self.starts, axis=0)
