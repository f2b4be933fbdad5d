"""Extended sources: patches of parcels grown around a seed.

The growth rules are those of Sun et al. 2022 (Methods, "Simulating Synthetic
Dataset", and the authors' source generator): two or three rings of neighbors, the
outer ones picked at random along a preferred direction, then smoothed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import check_option, check_range

if TYPE_CHECKING:
    from .parcels import Parcels

# Added to the probability of joining, per ring beyond the first: few, or many rings.
RING_BIAS = {2: (0.0,), 3: (0.1, -0.15), 4: (0.2, -0.1, -0.35)}
# Standard deviation over the distance at which a Gaussian is 0.5: 1 / sqrt(2 ln 2).
_HALF_DISTANCE_TO_SIGMA = 0.8493
# What is drawn at random has a generator of its own, default_rng([seed, key]), or
# default_rng([seed, purpose, key]): it depends on the seed and on what it is drawn for,
# not on what was drawn before it. Sample i of a stream has the key i; the purposes of
# patches lie beside each other here, so that no two share numbers.
STREAM_PATCHES = 1 << 31  # candidates of a parcel in a stream
DICTIONARY_PATCHES = 1 << 33  # patches of the dictionary around a parcel


def grow_patch(
    cortex: Parcels,
    seed_region: int,
    *,
    n_layers: int = 2,
    direction: NDArray | None = None,
    rng: int | np.random.Generator | None = None,
) -> NDArray:
    """Grow one patch around a seed parcel.

    Parameters
    ----------
    cortex : Cortex
    seed_region : int
        The parcel it starts from; first in the result.
    n_layers : 2 | 3 | 4
        Rings of neighbors. The first is taken whole.
    direction : array of shape (3,) | None
        Preferred direction of growth (any length); ``None`` draws the direction
        toward one of the seed's neighbors.
    rng : int | Generator | None
        Source of randomness.

    Returns
    -------
    regions : array of int
        Parcels of the patch, the seed first.

    Raises
    ------
    OptionError
        The seed is not a parcel of this cortex or ``n_layers`` is not 2, 3 or 4.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> patch = dl.grow_patch(dl.load_cortex(), 100, rng=0)
    >>> int(patch[0])
    100
    """
    check_range("seed_region", seed_region, 0, cortex.n_regions - 1)
    check_option("n_layers", n_layers, RING_BIAS)
    rng = np.random.default_rng(rng)
    centers = cortex.inflated_centroids
    if direction is None:
        target = rng.choice(cortex.neighbors[seed_region])
        direction = centers[target] - centers[seed_region]
    patch = cortex.adjacency[seed_region].copy()
    ring = patch.copy()
    patch[seed_region] = True
    for bias in RING_BIAS[n_layers]:
        candidates = np.flatnonzero(cortex.adjacency[ring].any(axis=0) & ~patch)
        chosen = _pick_along(
            centers[candidates] - centers[seed_region], direction, bias, rng
        )
        ring = np.zeros_like(patch)
        ring[candidates[chosen]] = True
        patch |= ring
    patch = _smooth(cortex, patch, seed_region)
    patch[seed_region] = False
    return np.concatenate([[seed_region], np.flatnonzero(patch)])


def patch_candidates(
    cortex: Parcels,
    seed_region: int,
    *,
    n_repeats: int = 5,
    rng: int | np.random.Generator | None = None,
) -> list[NDArray]:
    """Grow the authors' set of candidates: every direction, two sizes, repeated.

    Half of the directions toward the neighbors suffice, for growth runs both ways.
    """
    rng = np.random.default_rng(rng)
    centers = cortex.inflated_centroids
    steps = centers[cortex.neighbors[seed_region]] - centers[seed_region]
    unit = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    nearest = np.argsort(-(unit @ unit[0]))[: -(-len(unit) // 2)]
    return [
        grow_patch(cortex, seed_region, n_layers=layers, direction=unit[k], rng=rng)
        for layers in (2, 3)
        for k in nearest
        for _ in range(n_repeats)
    ]


def decay(cortex: Parcels, patch: NDArray, half_distance: float) -> NDArray:
    """Amplitude of each parcel of a patch: Gaussian in the distance to its seed.

    Parameters
    ----------
    half_distance : float
        Distance at which the amplitude is one half, meters (40-60 mm in the paper's
        code).

    Returns
    -------
    weights : array of shape (len(patch),)
        1 at the seed.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> cortex = dl.load_cortex()
    >>> weights = dl.cortex.decay(cortex, dl.grow_patch(cortex, 100, rng=0), 0.05)
    >>> float(weights[0])  # the seed
    1.0
    """
    return gaussian_decay(cortex.distances[patch[0], patch], half_distance)


def gaussian_decay(distance: NDArray, half_distance: float) -> NDArray:
    """Gaussian that is 1 at distance 0 and 0.5 at the half-distance."""
    return np.exp(-0.5 * (distance / (_HALF_DISTANCE_TO_SIGMA * half_distance)) ** 2)


def _pick_along(
    steps: NDArray, direction: NDArray, bias: float, rng: np.random.Generator
) -> NDArray:
    """Choose candidates with a probability that grows along the direction."""
    if len(steps) == 0:
        return np.zeros(0, dtype=bool)
    along = np.abs(steps @ direction) / np.linalg.norm(steps, axis=1)
    span = np.ptp(along)
    chance = (along - along.min()) / span if span > 0 else np.full(len(along), 0.5)
    return rng.random(len(steps)) < chance + bias


def _smooth(cortex: Parcels, patch: NDArray, seed_region: int) -> NDArray:
    """Fill holes (all but one neighbor inside) and drop spurs (one inside).

    The authors' comment says to drop parcels without a neighbor inside, their code
    those with exactly one; we follow the code.
    """
    inside = _neighbors_inside(cortex, patch)
    near = patch | (inside > 0)
    filled = patch | (near & (inside > cortex.n_neighbors - 2))
    filled &= ~(patch & (_neighbors_inside(cortex, filled) == 1))
    filled[seed_region] = True
    return filled


def _neighbors_inside(cortex: Parcels, patch: NDArray) -> NDArray:
    """Count the neighbors of each parcel that lie in a patch."""
    return cortex.adjacency[patch].sum(axis=0, dtype=np.int16)
