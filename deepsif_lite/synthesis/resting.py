"""Resting EEG under any cap: recorded by one, as others would have recorded it.

Real background activity has a topography (alpha is behind, for instance). It is
brought under other electrodes, and on to other heads, by way of the cortex: the
minimum-norm estimate of its sources, seen through the leadfield of the cap that is
wanted. Spherical splines know of no head but a sphere, and their values run away
below the lowest electrodes. Electrodes left out of the authors' recordings are
predicted as well by way of the cortex where others are around, and better below.

What predicts best (the regularization that cross-validation chooses) has too little
power where nothing was recorded, as any expectation has. The estimate here is less
regularized, so that noise is of the right size under every cap. What the estimated
sources do not explain is each electrode's own, and becomes white noise of the same
power.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import MismatchError
from ..signals import average_reference
from ..solvers.minimum_norm import solve_mne

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead

# Of the recordings it explains .90. Electrodes left out (25 of 75) are given .82 of the
# power that they had, and the white noise adds .10; with .3 it is .65 and .20.
_LAMBDA2 = 0.03


class RestingEEG:
    """Draws resting EEG as any cap records it.

    Parameters
    ----------
    clips : array of shape (n_clips, n_times, n_channels)
        Recordings at rest, any unit.
    head : HeadModel | TrainingHead
        Of the electrodes that recorded them.

    Attributes
    ----------
    explained : float
        Share of the power of the recordings that the estimated sources explain.

    Raises
    ------
    MismatchError
        Recordings and head have other numbers of channels.

    References
    ----------
    Hamalainen MS, Ilmoniemi RJ (1994). Medical & Biological Engineering & Computing
    32, 35-42.
    """

    def __init__(self, clips: NDArray, head: HeadModel | TrainingHead) -> None:
        n_channels = len(head.ch_names)
        if clips.ndim != 3 or clips.shape[2] != n_channels:
            msg = (
                f"resting has shape {clips.shape}, but must be (n_clips, n_times, "
                f"{n_channels}): of the channels of head {head.name!r}."
            )
            raise MismatchError(msg)
        centered = average_reference(clips - clips.mean(axis=1, keepdims=True), -1)
        centered /= np.sqrt(np.mean(centered**2, axis=(1, 2), keepdims=True))
        self._clips = centered
        gain = average_reference(head.leadfield)
        unit = np.eye(n_channels)  # of what is linear, it gives the matrix
        self._inverse = solve_mne(unit, head, lambda2=_LAMBDA2).T
        left = centered - centered @ (gain @ self._inverse).T
        self.explained = float(1 - np.mean(left**2))

    def maps(self, leadfield: NDArray) -> NDArray:
        """Return what turns channels as recorded into those of another cap.

        Parameters
        ----------
        leadfield : array of shape (n_channels, n_regions)
            Average referenced.

        Returns
        -------
        array of shape (n_channels, n_recorded)
        """
        return leadfield @ self._inverse

    def draw(self, maps: NDArray, rng: np.random.Generator) -> NDArray:
        """Draw resting EEG.

        There are few recordings and many samples: each takes a random mixture of all
        clips, forward or backward in time. That keeps topography and spectrum.

        Parameters
        ----------
        maps : array of shape (n_channels, n_recorded)
            As of :meth:`maps`.
        rng : numpy.random.Generator

        Returns
        -------
        array of shape (n_times, n_channels)
            float32; its mean power over all channels is one.
        """
        shares = rng.standard_normal(len(self._clips))
        mixed = np.tensordot(shares, self._clips, 1)
        if rng.random() < 0.5:
            mixed = mixed[::-1]
        brain = mixed @ maps.T
        brain *= np.sqrt(self.explained / np.mean(brain**2))
        own = average_reference(rng.standard_normal(brain.shape), -1)
        return (brain + np.sqrt(1 - self.explained) * own).astype(np.float32)
