"""Weights and tract lengths between regions.

The *published* connectome has 998 nodes, of which the authors keep 994. The
*template* one is a surrogate on our own parcels: no tractography, but a random
network drawn with the statistics measured on the published one, so that the same
neural masses work in the same regime.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from zipfile import ZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.spatial.distance import cdist

from ..cortex.surface import Cortex, load_cortex
from ..errors import check_option
from .model import HEALTHY_GAIN

CONNECTOMES = ("template", "published")

# Measured on the published connectome (998 nodes, 35,730 links).
DENSITY = 0.0359  # share of ordered pairs that are linked
MEDIAN_STRENGTH = 17.4  # median over nodes of the summed incoming weights
MEAN_LENGTH = 40.3  # mm, mean over links
MAX_LENGTH = 189.5  # mm

# Fitted to the published connectome, unless another reason is given; lengths in mm.
# Chance of a link within a hemisphere: a logistic in distance, and a tail beyond it.
_NEAR_CHANCE, _NEAR_LENGTH, _NEAR_WIDTH = 0.93, 18.7, 4.3
_FAR_CHANCE = 0.006  # long association fibers
# Across hemispheres, instead of the tail: a Gaussian about the mirrored parcel.
_CALLOSAL_CHANCE, _CALLOSAL_LENGTH = 0.3, 9
# How well parcels are connected: log-normal, at most so many times the median.
_POPULARITY_SPREAD, _MAX_POPULARITY = 0.55, 2.0
# Weight before scaling: half of it falls with distance; log-normal about that, equal
# in both directions but for a little.
_WEIGHT, _WEIGHT_LENGTH, _WEIGHT_SPREAD, _ASYMMETRY = 0.36, 22, 0.17, 0.01
_DETOUR_SPREAD = 0.4  # log-normal, of a tract about the straight line
_MAX_STRETCH = 10  # of all tracts; far more than any cortex needs
#: Any number would do. The shipped spikes were simulated with this one.
SURROGATE_SEED = 994

# Nodes whose parcel holds no fsaverage5 vertex, and the node that takes its place.
_MOVED = {7: 994, 325: 997, 921: 996, 949: 995}


@dataclass(frozen=True, eq=False)
class Connectome:
    """Structural connections between the nodes of a simulated network.

    Attributes
    ----------
    name : str
        "published", "template-<n_regions>", or a name of your own.
    weights : array of shape (n_nodes, n_nodes)
        Strength of the link from column (source) to row (target), no unit.
    tract_lengths : array of shape (n_nodes, n_nodes)
        Length of the fibers, mm; zero where there is no link.
    node_of_region : array of int, shape (n_regions,)
        Node whose output is the time course of each region of the cortex.
    cortex : str
        Name of the parcellation whose regions these are; that of the connectome where
        none is given.
    """

    name: str
    weights: NDArray[np.floating]
    tract_lengths: NDArray[np.floating]
    node_of_region: NDArray[np.int64]
    cortex: str = ""

    def __post_init__(self) -> None:
        if not self.cortex:
            object.__setattr__(self, "cortex", self.name)

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.weights)

    @property
    def n_regions(self) -> int:
        """Number of regions of the cortex the nodes stand for."""
        return len(self.node_of_region)

    def raised_gain(
        self,
        regions: ArrayLike,
        gain: ArrayLike,
        healthy: float = HEALTHY_GAIN,
    ) -> NDArray[np.float64]:
        """Return the gains of simulations in each of which one region is raised.

        Parameters
        ----------
        regions : int | array of int, shape (n_sims,)
            The region whose node is raised.
        gain : float | array of shape (n_sims,)
            Its excitatory gain (mV).
        healthy : float
            Gain of all other nodes (mV).

        Returns
        -------
        gain : array of shape (n_sims, n_nodes)
            For :func:`deepsif_lite.simulate` (mV).

        Examples
        --------
        >>> links = np.ones((2, 2))
        >>> pair = Connectome("pair", links, links, np.arange(2))
        >>> pair.raised_gain(1, [3.5, 3.6])
        array([[3.25, 3.5 ],
               [3.25, 3.6 ]])
        """
        regions, gain = np.broadcast_arrays(np.atleast_1d(regions), gain)
        gains = np.full((len(regions), self.n_nodes), healthy)
        gains[np.arange(len(regions)), self.node_of_region[regions]] = gain
        return gains


def load_connectome(name: str = "template", *, n_regions: int = 994) -> Connectome:
    """Load the surrogate connectome of the template cortex, or the published one.

    Parameters
    ----------
    name : "template" | "published"
        A surrogate on the parcels of ``load_cortex(n_regions)``, or the 998 nodes
        that the authors used.
    n_regions : int
        Number of parcels of the template.

    Returns
    -------
    connectome : Connectome

    Raises
    ------
    OptionError
        The name is unknown.
    RecordingUnavailable
        The published file cannot be reached.

    Notes
    -----
    The surrogate is drawn from a fixed seed, see :func:`surrogate_connectome`.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> dl.load_connectome("template").weights.shape
    (994, 994)
    """
    check_option("name", name, CONNECTOMES)
    if name == "template":
        return _template_connectome(n_regions)
    return _published_connectome()


@lru_cache(maxsize=4)
def _template_connectome(n_regions: int) -> Connectome:
    return surrogate_connectome(load_cortex(n_regions))


@lru_cache(maxsize=1)
def _published_connectome() -> Connectome:
    from ..recordings.published import fetch

    with ZipFile(fetch("deepsif/anatomy/connectivity_998.zip")) as archive:
        with archive.open("weights.txt") as file:
            weights = np.loadtxt(file)
        with archive.open("tract_lengths.txt") as file:
            tract_lengths = np.loadtxt(file)
    node_of_region = np.arange(len(weights) - len(_MOVED))
    node_of_region[list(_MOVED)] = list(_MOVED.values())
    return Connectome("published", weights, tract_lengths, node_of_region)


def surrogate_connectome(cortex: Cortex, seed: int = SURROGATE_SEED) -> Connectome:
    """Draw a network with the published connectome's statistics on any parcels.

    The probability of a link falls with the distance of the parcels as it does in
    the published connectome: almost certain among neighbors, half at 19 mm, and a
    tail of long association fibers within a hemisphere. Across the hemispheres the
    tail is replaced by callosal links to the neighborhood of the mirrored parcel.
    Parcels differ in how well they are connected (a log-normal factor). Weights
    fall with distance and vary little about that (the published ones do, being
    rescaled to a normal distribution); both directions of a link are nearly equal.
    A tract is the straight line times a log-normal detour. Three constants are then
    set so that density, median in-strength and mean tract length are the published
    ones; where parcels are so few that straight lines are longer already, tracts are
    straight lines.

    Parameters
    ----------
    cortex : Cortex
        Supplies centroids (m) and hemispheres.
    seed : int
        Of the random network.

    Returns
    -------
    connectome : Connectome
        One node for each parcel.
    """
    rng = np.random.default_rng(seed)
    n = cortex.n_regions
    distance = cortex.distances * 1e3
    popularity = rng.lognormal(0.0, _POPULARITY_SPREAD, n).clip(max=_MAX_POPULARITY)
    propensity = _link_propensity(cortex) * np.outer(popularity, popularity)
    linked = _draw_links(propensity, DENSITY, _symmetric(rng.random((n, n))))

    weights = _WEIGHT + _WEIGHT * np.exp(-distance / _WEIGHT_LENGTH)
    weights *= np.exp(_WEIGHT_SPREAD * _symmetric(rng.standard_normal((n, n))))
    weights += rng.uniform(-_ASYMMETRY, _ASYMMETRY, (n, n))
    weights *= linked
    weights *= MEDIAN_STRENGTH / np.median(weights.sum(axis=1))

    detour = rng.lognormal(0.0, _DETOUR_SPREAD, (n, n))
    return Connectome(
        name=cortex.name,
        weights=weights,
        tract_lengths=_tract_lengths(distance, _symmetric(detour), linked),
        node_of_region=np.arange(n),
        cortex=cortex.name,
    )


def _link_propensity(cortex: Cortex) -> NDArray:
    """Chance of a link from geometry alone, shape (n_regions, n_regions)."""
    distance = cortex.distances * 1e3
    near = _NEAR_CHANCE / (1 + np.exp((distance - _NEAR_LENGTH) / _NEAR_WIDTH))
    mirrored = cortex.centroids * [-1, 1, 1]
    offset = cdist(cortex.centroids, mirrored) * 1e3
    offset = (offset + offset.T) / 2
    callosal = _CALLOSAL_CHANCE * np.exp(-((offset / _CALLOSAL_LENGTH) ** 2))
    same_side = cortex.hemisphere[:, None] == cortex.hemisphere[None, :]
    propensity = near + np.where(same_side, _FAR_CHANCE, callosal)
    np.fill_diagonal(propensity, 0.0)
    return propensity


def _symmetric(values: NDArray) -> NDArray:
    """Mirror the upper triangle into the lower one."""
    upper = np.triu(values, 1)
    return upper + upper.T


def _draw_links(propensity: NDArray, density: float, uniform: NDArray) -> NDArray:
    """Link the pairs whose uniform number is below a multiple of their propensity."""
    wanted = density * propensity.size
    # A pair is linked once the multiple exceeds its own threshold.
    np.fill_diagonal(uniform, 1.0)
    threshold = np.divide(
        uniform, propensity, out=np.full(uniform.shape, np.inf), where=propensity > 0
    )
    scale = np.partition(threshold.ravel(), int(wanted))[int(wanted)]
    return threshold < scale


def _tract_lengths(distance: NDArray, detour: NDArray, linked: NDArray) -> NDArray:
    """Straight lines (mm) stretched until the mean tract is the published one."""

    def lengths(stretch: float) -> NDArray:
        return np.minimum(distance * np.maximum(stretch * detour, 1), MAX_LENGTH)

    if lengths(0.0)[linked].mean() >= MEAN_LENGTH:  # few, distant parcels
        return lengths(0.0) * linked
    stretch = brentq(
        lambda s: lengths(s)[linked].mean() - MEAN_LENGTH, 0.0, _MAX_STRETCH
    )
    return lengths(stretch) * linked
