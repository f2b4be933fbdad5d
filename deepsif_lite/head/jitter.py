"""Electrodes that are not where the head model has them.

No cap sits as planned and no head is the template, so the potential is picked up
beside the place that the leadfield knows. Moved by a centimeter, electrodes mislead
more than another skull or another head shape does (chapter 4), and a network that
never met it takes the difference for further sources.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def draw_moves(n_points: int, distance: float, rng: np.random.Generator) -> NDArray:
    """Draw moves that are ``distance`` long once their radial part is gone.

    What removes it, a projection onto a surface or a subtraction, is the caller's.

    Parameters
    ----------
    n_points : int
    distance : float
        Root mean square along the surface, meters.
    rng : numpy.random.Generator

    Returns
    -------
    array of shape (n_points, 3)
        Meters.
    """
    # Of three equal components the radial one goes: two remain.
    return rng.normal(scale=distance / np.sqrt(2), size=(n_points, 3))


class ElectrodeJitter:
    """Turns potentials of a montage into those a little beside it.

    Potentials between electrodes come from a thin-plate spline through all of them.

    Parameters
    ----------
    electrodes : array of shape (n_channels, 3)
        Positions, meters.
    """

    def __init__(self, electrodes: NDArray) -> None:
        from scipy.interpolate import RBFInterpolator

        self.electrodes = electrodes
        outward = electrodes - electrodes.mean(axis=0)
        self._outward = outward / np.linalg.norm(outward, axis=1, keepdims=True)
        self._spline = RBFInterpolator(
            electrodes, np.eye(len(electrodes)), kernel="thin_plate_spline"
        )

    def at(self, positions: NDArray) -> NDArray:
        """Return the matrix that turns potentials into those at other positions.

        Parameters
        ----------
        positions : array of shape (n_channels, 3)
            Near the electrodes, meters.

        Returns
        -------
        array of shape (n_channels, n_channels)
            ``potentials @ matrix.T`` is what electrodes at ``positions`` record. A
            constant stays a constant.
        """
        return self._spline(positions)

    def draw(self, distance: float, rng: np.random.Generator) -> NDArray:
        """Move each electrode on its own, and return the matrix of :meth:`at`.

        Parameters
        ----------
        distance : float
            Root mean square distance along the scalp, meters.
        rng : numpy.random.Generator

        Returns
        -------
        array of shape (n_channels, n_channels)
        """
        moves = draw_moves(len(self.electrodes), distance, rng)
        moves -= (moves * self._outward).sum(axis=1, keepdims=True) * self._outward
        return self.at(self.electrodes + moves)
