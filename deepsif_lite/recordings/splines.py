"""Spherical splines: potentials between electrodes, and beside all the others.

MNE interpolates by the same splines, whose matrix it keeps to itself; here it is asked
for without a recording, and what it leaves out of each channel comes from one inverse.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial.legendre import legval
from numpy.typing import NDArray

_REGULARIZATION = 1e-5  # as MNE for bad channels
_STIFFNESS, _N_TERMS = 4, 50  # as MNE


def leave_one_out(data: NDArray, directions: NDArray) -> NDArray:
    """Return what spherical splines through all other channels do not predict.

    Parameters
    ----------
    data : array of shape (n_channels, n_times)
    directions : array of shape (n_channels, 3)
        Unit vectors.

    Returns
    -------
    array of shape (n_channels, n_times)
        Channel minus prediction, whatever the reference.

    References
    ----------
    Perrin et al. (1989), Electroencephalography and Clinical Neurophysiology 72,
    184-187 (the splines). Dubrule (1983), Mathematical Geology 15, 687-699 (all
    predictions from one inverse).
    """
    n = len(directions)
    inverse = _whole_inverse(directions.tobytes())[:n, :n]
    return inverse @ data / np.diag(inverse)[:, None]


def spline_matrix(directions: NDArray, wanted: NDArray) -> NDArray:
    """Return what turns potentials at electrodes into those between them.

    Spherical splines, as MNE interpolates bad channels.

    Parameters
    ----------
    directions : array of shape (n_channels, 3)
        Unit vectors from the center of the head.
    wanted : array of shape (n_wanted, 3)
        Likewise.

    Returns
    -------
    array of shape (n_wanted, n_channels)
        Its rows add up to one.

    References
    ----------
    Perrin et al. (1989), Electroencephalography and Clinical Neurophysiology 72,
    184-187.
    """
    n = len(directions)
    between = np.ones((len(wanted), n + 1))
    between[:, :n] = _kernel(wanted @ directions.T)
    return between @ _whole_inverse(directions.tobytes())[:, :n]


@lru_cache(maxsize=16)  # caps; each recording on one asks twice
def _whole_inverse(directions: bytes) -> NDArray:
    """Return the inverse of a spline's system, with the constant in its last row."""
    points = np.frombuffer(directions).reshape(-1, 3)
    n = len(points)
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = _kernel(points @ points.T)
    system[:n, :n] += _REGULARIZATION * np.eye(n)
    system[n, n] = 0
    return np.linalg.inv(system)


def _kernel(cosines: NDArray) -> NDArray:
    order = np.arange(1, _N_TERMS + 1)
    weights = (2 * order + 1) / (4 * np.pi * (order * (order + 1.0)) ** _STIFFNESS)
    return legval(cosines, [0, *weights])
