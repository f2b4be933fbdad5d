"""Heads that no model computes: a person's skull, folds and place under the cap.

Heads that are computed by one method from one anatomy are alike: the scalp maps of the
twelve of training correlate with the template's by .98 to 1 (medians over parcels), those
of a person's own head, by finite elements, by .965. A network that only met the former
takes the difference for sources. So leadfields are changed at random, in three ways that
are smooth or local as the true differences are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

# Of an error of one: root mean square of the shift of the electrodes (m), of the
# logarithm of what they record, and of what a parcel takes from each of its neighbors,
# over the root of their number.
_SHIFT, _GAIN, _FOLDS = 0.01, 0.2, 0.4
_REACH = 0.06  # m, over which electrodes are shifted and changed alike


def draw_shift(electrodes: NDArray, error: float, rng: np.random.Generator) -> NDArray:
    """Draw how far the brain is from where the electrodes suggest.

    Neighboring electrodes are shifted alike, as by a cap that is turned or a head that
    is longer than the template.

    Parameters
    ----------
    electrodes : array of shape (n_electrodes, 3)
        Meters.
    error : float
        1 shifts by a centimeter (root mean square).
    rng : numpy.random.Generator

    Returns
    -------
    array of shape (n_electrodes, 3)
        Meters.
    """
    # Of three equal components the radial one does nothing.
    return error * _SHIFT / np.sqrt(2) * _smooth_fields(electrodes, 3, rng)


def misjudged(
    leadfield: NDArray,
    electrodes: NDArray,
    adjacency: NDArray,
    error: float,
    rng: np.random.Generator,
) -> NDArray:
    """Return the leadfield of a head that differs from the one it was computed for.

    Where the skull is thinner, electrodes record more; where the folds differ, a parcel
    has some of the orientation of its neighbors.

    Parameters
    ----------
    leadfield : array of shape (n_electrodes, n_regions)
        V/(A m).
    electrodes : array of shape (n_electrodes, 3)
        Meters.
    adjacency : array of shape (n_regions, n_regions)
        1 for neighbors.
    error : float
        1 for scalp maps that correlate with the given ones by about .95.
    rng : numpy.random.Generator

    Returns
    -------
    array of shape (n_electrodes, n_regions)
        V/(A m).
    """
    gain = np.exp(error * _GAIN * _smooth_fields(electrodes, 1, rng))
    rows, columns = np.nonzero(adjacency)
    scale = error * _FOLDS / np.sqrt(adjacency.sum(axis=0)[columns])
    taken = scale * rng.standard_normal(len(rows))
    taken = csr_array((taken, (rows, columns)), shape=adjacency.shape)
    return gain * (leadfield + leadfield @ taken)


def _smooth_fields(points: NDArray, count: int, rng: np.random.Generator) -> NDArray:
    """Draw fields of unit variance that neighboring points share, (n_points, count)."""
    covariance = np.exp(-((cdist(points, points) / _REACH) ** 2) / 2)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(values.clip(min=0))
    return root @ rng.standard_normal((len(points), count))
