"""Extended sources: patches of parcels grown around a seed.

The growth rules of :func:`grow_patch` are those of Sun et al. 2022 (Methods,
"Simulating Synthetic Dataset", and the authors' source generator): two or three rings
of neighbors, the outer ones picked at random along a preferred direction, then smoothed.
Their patches hold the whole first ring, about 10 cm^2, so nothing smaller is among them;
:func:`grow_to_area` grows patches of any size, from one parcel up.
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
# Standard deviation over the distance at which a Gaussian is 0.5: 1 / sqrt(2 ln 2), to
# the digits that the authors' code has.
_HALF_DISTANCE_TO_SIGMA = 0.8493
# What is drawn at random has a generator of its own, default_rng([seed, key]), or
# default_rng([seed, purpose, key]): it depends on the seed and on what it is drawn for,
# not on what was drawn before it. Sample i of a stream has the key i; the purposes of
# patches lie beside each other here, so that no two share numbers.
STREAM_PATCHES = 1 << 31  # candidates of a parcel in a stream
DICTIONARY_PATCHES = 1 << 33  # patches of the dictionary around a parcel
SIZED_PATCHES = 1 << 34  # candidates of any size, of a parcel in a stream
# Of patches of any size: how many times longer than wide, and how ragged their border
# is (standard deviation of the logarithm of a parcel's distance).
_ELONGATION = (1.0, 2.0)
_RAGGEDNESS = 0.2
# m^2, of the patches that are drawn evenly in the logarithm of area.
LARGEST_AREA = 60e-4


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


def grow_to_area(
    cortex: Parcels,
    seed_region: int,
    area: float,
    *,
    rng: int | np.random.Generator | None = None,
) -> NDArray:
    """Grow one patch of a wanted area around a seed parcel.

    The parcel on the border that is nearest to the seed joins next, by a distance on
    the inflated surface that is shorter along a random direction and differs a little
    from parcel to parcel.

    Parameters
    ----------
    cortex : Cortex
    seed_region : int
        The parcel it starts from; first in the result.
    area : float
        m^2; the patch is the one that comes closest. It holds one parcel at least.
    rng : int | Generator | None
        Source of randomness.

    Returns
    -------
    regions : array of int
        Parcels of the patch, the seed first; connected.

    Raises
    ------
    OptionError
        The seed is not a parcel of this cortex, or the area is not positive.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> from deepsif_lite.cortex import grow_to_area
    >>> len(grow_to_area(dl.load_cortex(), 100, 1e-4, rng=0))
    1
    """
    check_range("seed_region", seed_region, 0, cortex.n_regions - 1)
    check_range("area", area, 0, open_low=True)
    rng = np.random.default_rng(rng)
    away = _ragged_distance(cortex, seed_region, rng)
    patch, covered = [seed_region], cortex.areas[seed_region]
    border = {int(r) for r in cortex.neighbors[seed_region]}
    while border:
        nearest = min(border, key=away.__getitem__)
        # Half of a parcel too much is as far from the wanted area as half too little.
        if covered + cortex.areas[nearest] / 2 > area:
            break
        patch.append(nearest)
        covered += cortex.areas[nearest]
        border |= {int(r) for r in cortex.neighbors[nearest]}
        border -= set(patch)
    return np.array(patch)


def _ragged_distance(
    cortex: Parcels, seed_region: int, rng: np.random.Generator
) -> NDArray:
    """Distance of each parcel to the seed, by which a patch of any size grows."""
    centers = cortex.inflated_centroids
    steps = centers - centers[seed_region]
    axis = steps[rng.choice(cortex.neighbors[seed_region])]
    along = steps @ (axis / np.linalg.norm(axis))
    across = np.sqrt(np.maximum((steps**2).sum(axis=1) - along**2, 0))
    longer = np.sqrt(rng.uniform(*_ELONGATION))
    distance = np.hypot(along / longer, across * longer)
    return distance * np.exp(_RAGGEDNESS * rng.standard_normal(len(steps)))


def sized_candidates(
    cortex: Parcels,
    seed_region: int,
    *,
    n_sizes: int = 16,
    rng: int | np.random.Generator | None = None,
) -> list[NDArray]:
    """Grow patches from the seed parcel alone to 60 cm^2, evenly in log area.

    Parameters
    ----------
    cortex : Cortex
    seed_region : int
    n_sizes : int
        Patches, each of an area drawn from its share of the range.
    rng : int | Generator | None
        Source of randomness.

    Returns
    -------
    list of array of int
        The first is the parcel alone.
    """
    rng = np.random.default_rng(rng)
    smallest = cortex.areas[seed_region]
    log_range = np.log(LARGEST_AREA / smallest)
    shares = (np.arange(n_sizes) + rng.random(n_sizes)) / n_sizes
    shares[0] = 0
    return [
        grow_to_area(cortex, seed_region, area, rng=rng)
        for area in smallest * np.exp(log_range * shares)
    ]


def patch_candidates(
    cortex: Parcels,
    seed_region: int,
    *,
    n_repeats: int = 5,
    rng: int | np.random.Generator | None = None,
) -> list[NDArray]:
    """Grow the authors' set of candidates: every direction, two sizes, repeated.

    Half of the directions toward the neighbors suffice, for growth runs both ways.

    Parameters
    ----------
    cortex : Cortex
    seed_region : int
    n_repeats : int
        Patches of each direction and size.
    rng : int | Generator | None
        Source of randomness.

    Returns
    -------
    list of array of int
        Parcels of each patch, the seed first.
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
    cortex : Cortex
    patch : array of int
        Its parcels, the seed first.
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
    >>> patch = dl.grow_patch(cortex, 100, rng=0)
    >>> weights = dl.cortex.decay(cortex, patch, 0.05)
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
