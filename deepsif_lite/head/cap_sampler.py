"""Caps and heads drawn at random, to train networks that serve any of them.

What a network is told is the template's leadfield at the nominal electrodes. What is
recorded comes from another head, at electrodes a little beside their places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ..recordings.splines import spline_matrix
from .jitter import draw_moves
from .scalp import ScalpPotentials

FEWEST, MOST = 16, 128  # electrodes of a cap
_KINDS = ("standard", "subset", "spread")  # layouts, each as often as the others
_DROPPED = 0.4  # share of the caps that lack electrodes,
_MOST_DROPPED = 0.25  # and share of their electrodes that may be lacking
# Share of the caps that leave out low electrodes, and what is low: a share of the
# height from the lowest electrode to the highest.
_NO_LOW, _LOW = 0.5, 0.25
# Electrodes that a cap lacks whose recording was mapped: their share, at most, and how
# much lower ones count before those on a side.
_MOST_BARE, _DOWN = 0.3, 0.5
TEMPLATE_SHARE = 0.25  # of recordings whose head is the template itself


class Wearer(NamedTuple):
    """What one head gives under one cap.

    Attributes
    ----------
    leadfield : array of shape (n_electrodes, n_regions)
        V/(A m).
    places : array of shape (n_electrodes, 3)
        Where the electrodes are, as places on the template.
    mapping : array of shape (n_channels, n_electrodes) | None
        Turns what they record into channels, where they are others than the cap's.
    """

    leadfield: NDArray
    places: NDArray
    mapping: NDArray | None = None


@dataclass(frozen=True, eq=False)
class CapSampler:
    """Draws caps for the template head, and heads that wear them.

    Attributes
    ----------
    scalp : ScalpPotentials
        Of the template.
    others : sequence of ScalpPotentials
        Of other heads, whose scalps are described by the points of the template's that
        they were deformed from, so that electrodes keep their coordinates.
    positions : array of shape (n_electrodes, 3)
        Electrodes of the 10-05 system, meters, MRI frame.
    standard : array of bool, shape (n_layouts, n_electrodes)
        Which of them common caps have.
    """

    scalp: ScalpPotentials
    others: Sequence[ScalpPotentials]
    positions: NDArray
    standard: NDArray

    def draw(self, rng: np.random.Generator) -> NDArray:
        """Draw a cap.

        A third are common caps, a third subsets of the 10-10 system, a third
        electrodes spread evenly over the 10-05 system. Some have lost electrodes.

        Parameters
        ----------
        rng : numpy.random.Generator

        Returns
        -------
        electrodes : array of shape (n_channels, 3)
            Nominal places, meters, MRI frame; 16 to 128.
        """
        kind = _KINDS[rng.integers(len(_KINDS))]
        if kind == "standard":
            chosen = np.flatnonzero(self.standard[rng.integers(len(self.standard))])
        else:
            pool = np.arange(len(self.positions))
            if kind == "subset":
                pool = np.flatnonzero(self.standard.any(axis=0))
            if rng.random() < _NO_LOW:
                pool = pool[self._is_high[pool]]
            chosen = self._spread(pool, rng)
        if rng.random() < _DROPPED:
            n_kept = round(len(chosen) * (1 - rng.uniform(0, _MOST_DROPPED)))
            chosen = rng.permutation(chosen)[: max(n_kept, FEWEST)]
        return self.positions[chosen]

    @property
    def _is_high(self) -> NDArray:
        height = self.positions[:, 2]
        return height > height.min() + _LOW * np.ptp(height)

    def _spread(
        self, pool: NDArray, rng: np.random.Generator, count: int | None = None
    ) -> NDArray:
        """Pick some of a pool, each far from those picked before."""
        most = min(MOST, len(pool))
        if count is None:
            count = int(np.exp(rng.uniform(np.log(FEWEST), np.log(most + 1))))
        apart = cdist(self.positions[pool], self.positions[pool])
        picked = [int(rng.integers(len(pool)))]
        nearest = apart[picked[0]]
        for _ in range(min(count, most) - 1):
            # Not always the farthest, or all caps of a size would be alike.
            picked.append(int(np.argmax(nearest * rng.uniform(0.7, 1, len(pool)))))
            nearest = np.minimum(nearest, apart[picked[-1]])
        return pool[picked]

    def leadfield(self, electrodes: NDArray) -> NDArray:
        """Return the template's leadfield, (n_channels, n_regions), V/(A m)."""
        return self.scalp.at(electrodes)

    def recorded(
        self,
        electrodes: NDArray,
        distance: float,
        rng: np.random.Generator,
        template_share: float = TEMPLATE_SHARE,
    ) -> Wearer:
        """Return somebody who wears the cap.

        Parameters
        ----------
        electrodes : array of shape (n_channels, 3)
            Nominal places.
        distance : float
            Root mean square by which each electrode is beside its place, meters.
        rng : numpy.random.Generator
        template_share : float
            Share of those whose head is the template's, not another.

        Returns
        -------
        Wearer
        """
        places = electrodes + draw_moves(len(electrodes), distance, rng)
        if not self.others or rng.random() < template_share:
            return Wearer(self.scalp.at(places), places)
        return Wearer(
            self.others[int(rng.integers(len(self.others)))].at(places), places
        )

    def mapped(
        self,
        electrodes: NDArray,
        distance: float,
        rng: np.random.Generator,
        template_share: float = TEMPLATE_SHARE,
    ) -> Wearer:
        """Return somebody whose EEG was recorded by another cap and mapped to this one.

        By spherical splines, from electrodes that do not reach as far down on one side
        (often the face), as published recordings sometimes are.

        Parameters
        ----------
        electrodes, distance, rng, template_share
            As of :meth:`recorded`.

        Returns
        -------
        Wearer
        """
        side = rng.uniform(0, 2 * np.pi)
        reach = self.positions @ (np.cos(side), np.sin(side), -_DOWN)
        pool = np.flatnonzero(
            reach <= np.quantile(reach, 1 - rng.uniform(0, _MOST_BARE))
        )
        own = self.positions[self._spread(pool, rng, len(electrodes))]
        worn = self.recorded(own, distance, rng, template_share)
        directions, wanted = (self._directions(points) for points in (own, electrodes))
        return worn._replace(mapping=spline_matrix(directions, wanted))

    def _directions(self, points: NDArray) -> NDArray:
        rays = points - self.scalp.shells.center
        return rays / np.linalg.norm(rays, axis=1, keepdims=True)
