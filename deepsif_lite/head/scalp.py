"""Potentials of every source all over the scalp: a leadfield for any electrodes.

In boundary elements of first order the potential is linear on each triangle of the
scalp. The potentials at the scalp's vertices therefore hold those of any electrode
exactly: it reads the vertices of its triangle, by barycentric weights, which is what
OpenMEEG's ``Head2EEGMat`` does. A cap costs milliseconds instead of a boundary-element
run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from .shells import Shells


@dataclass(frozen=True, eq=False)
class ScalpPotentials:
    """Potentials of sources at the vertices of the scalp.

    Attributes
    ----------
    shells : Shells
        Whose ``scalp`` it is.
    potentials : array of shape (n_vertices, n_sources)
        V/(A m), relative to the mean over the scalp.
    """

    shells: Shells
    potentials: NDArray

    def at(self, electrodes: ArrayLike) -> NDArray:
        """Return the potentials at electrodes.

        Parameters
        ----------
        electrodes : array of shape (n_electrodes, 3)
            Meters, MRI frame; moved onto the scalp along the radius.

        Returns
        -------
        array of shape (n_electrodes, n_sources)
            V/(A m).
        """
        return self.weights(electrodes) @ self.potentials

    def weights(self, electrodes: ArrayLike) -> csr_array:
        """Return what each electrode reads of each vertex.

        Parameters
        ----------
        electrodes : array of shape (n_electrodes, 3)
            Meters, MRI frame.

        Returns
        -------
        sparse array of shape (n_electrodes, n_vertices)
            Three weights an electrode, that add up to one.
        """
        rays = np.atleast_2d(np.asarray(electrodes, float)) - self.shells.center
        # In the corners of a triangle as axes, a ray has three coordinates. They are
        # all positive for the one triangle that it meets, for the scalp is star-shaped.
        coordinates = (self._to_corners.reshape(-1, 3) @ rays.T).reshape(
            -1, 3, len(rays)
        )
        face = coordinates.min(axis=1).argmax(axis=0)
        weights = coordinates[face, :, np.arange(len(rays))]
        weights = np.maximum(weights, 0)  # rounding, on an edge
        weights /= weights.sum(axis=1, keepdims=True)
        rows = np.repeat(np.arange(len(rays)), 3)
        columns = self.shells.faces[face].ravel()
        shape = (len(rays), len(self.shells.directions))
        return csr_array((weights.ravel(), (rows, columns)), shape=shape)

    @cached_property
    def _to_corners(self) -> NDArray:
        """Of each triangle, the matrix from space to its corners as axes."""
        points = self.shells.directions * self.shells.scalp[:, None]
        return np.linalg.inv(points[self.shells.faces].transpose(0, 2, 1))
