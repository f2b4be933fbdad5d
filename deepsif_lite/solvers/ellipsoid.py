r"""Currents that explain data up to a bound: an ellipsoid, and the nearest point in it.

With the singular value decomposition of the gain, :math:`G = U S V^T`, the misfit
:math:`\|Y - G X\|_F^2` splits over singular vectors, and the nearest point in the
ellipsoid needs one scalar root, which is found by Newton's method as in trust-region
algorithms (Moré and Sorensen 1983, SIAM Journal on Scientific and Statistical
Computing 4, 553-572).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_STEPS = 100  # five to ten are needed
_PRECISION = 1e-13  # of the root, relative


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    r"""All X with :math:`\|Y - G X\|_F^2 \le` bound, Y in the range of G.

    Attributes
    ----------
    vectors : array of shape (n_singular, n_regions)
        Right singular vectors of the gain, in rows.
    values : array of shape (n_singular,)
        Its singular values, positive.
    data : array of shape (n_singular, n_courses)
        What X is to explain, in the left singular vectors.
    bound : float
        Positive.
    """

    vectors: NDArray
    values: NDArray
    data: NDArray
    bound: float

    def misfit(self, point: NDArray) -> float:
        """Return the squared misfit of X, array of shape (n_regions, n_courses)."""
        return float((self._residual(point) ** 2).sum())

    def project(self, point: NDArray, start: float = 0.0) -> tuple[NDArray, float]:
        """Return the nearest point in the ellipsoid, and the constraint's multiplier.

        Parameters
        ----------
        point : array of shape (n_regions, n_courses)
        start : float
            A guess of the multiplier; it spares steps.

        Returns
        -------
        nearest : array of shape (n_regions, n_courses)
        multiplier : float
            0 where the point lies inside.
        """
        residual = self._residual(point)
        power = (residual**2).sum(axis=1)
        if power.sum() <= self.bound:
            return point, 0.0
        multiplier = self._root(power, start)
        gain = multiplier * self.values / (1 + multiplier * self.values**2)
        return point + self.vectors.T @ (gain[:, None] * residual), multiplier

    def _residual(self, point: NDArray) -> NDArray:
        return self.data - self.values[:, None] * (self.vectors @ point)

    def _root(self, power: NDArray, multiplier: float) -> float:
        """Solve sum(power / (1 + multiplier values^2)^2) = bound.

        The inverse root of the left side is concave in the multiplier and close to
        linear, so Newton's steps reach its root from below without overshooting.
        """
        squares = self.values**2
        for _ in range(_MOST_STEPS):
            shrunk = 1 / (1 + multiplier * squares)
            left = power @ shrunk**2
            slope = power @ (squares * shrunk**3)  # half of the derivative, negated
            step = (left**1.5 / np.sqrt(self.bound) - left) / slope
            before, multiplier = multiplier, max(multiplier + step, 0.0)
            if abs(multiplier - before) <= _PRECISION * multiplier:
                break
        return multiplier
