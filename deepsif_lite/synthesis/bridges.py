"""Electrodes that gel joins: they all show the mean of their potentials.

Bridges are common where caps are dense or gel is plentiful, and go unnoticed, for the
signal of each electrode looks right (Alschuler et al. 2014,
doi:10.1016/j.clinph.2013.08.024).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

_MOST_BRIDGES, _MOST_NEIGHBORS = 3, 2  # of a recording, and of an electrode in one
_REACH = 0.05  # m, farther than neighbors of a 10-10 cap are, nearer than of a 10-20


def draw_bridges(electrodes: NDArray, rng: np.random.Generator) -> list[NDArray]:
    """Draw which electrodes of a cap gel has joined.

    Parameters
    ----------
    electrodes : array of shape (n_channels, 3)
        Meters.
    rng : numpy.random.Generator

    Returns
    -------
    list of array of int
        One to three groups of two or three neighbors; no electrode is in two of them.
        Those that would have no neighbor within 5 cm are missing.
    """
    free = np.ones(len(electrodes), bool)
    bridges = []
    for _ in range(rng.integers(1, _MOST_BRIDGES + 1)):
        first = int(rng.integers(len(electrodes)))
        count = int(rng.integers(1, _MOST_NEIGHBORS + 1))
        away = np.linalg.norm(electrodes - electrodes[first], axis=1)
        away[first] = np.inf
        near = np.flatnonzero(free & (away < _REACH))
        if free[first] and len(near) > 0:
            joined = near[np.argsort(away[near], kind="stable")[:count]]
            bridges.append(np.array([first, *joined]))
            free[bridges[-1]] = False
    return bridges


def join_electrodes(eeg: Tensor, bridges: Sequence[Sequence[NDArray]]) -> None:
    """Give joined electrodes the mean of their potentials, in place.

    Of any reference that all channels share, so that it may be taken before or after.

    Parameters
    ----------
    eeg : tensor of shape (n_samples, n_times, n_channels)
    bridges : sequence, one a sample, of arrays of int
        Groups of channels.
    """
    for recording, groups in zip(eeg, bridges, strict=True):
        for group in groups:
            recording[:, group] = recording[:, group].mean(-1, keepdim=True)
