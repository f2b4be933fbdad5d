r"""Coherent maximum entropy on the mean (cMEM), without wavelets.

How it works
------------
Activity is expected in parcels of neighboring regions, each silent or active as a
whole. How likely each is active is read from the data before any inverse is computed
(the scores of :mod:`~deepsif_lite.solvers.prelocalization`), and so are the parcels
themselves: they grow around regions of high score. Of all distributions that explain
the data, the one is taken that departs least from this expectation
(:mod:`~deepsif_lite.solvers.entropy`), and its mean is the image. A parcel that the
data do not need stays silent, which no linear method can do; within a parcel activity
is smooth, hence *coherent*, and so extended sources keep their extent.

Step by step, with G the leadfield, m the data at one sample, k a parcel:

1. Data and leadfield are average-referenced and whitened, so that noise has the
   covariance 1.
2. W, the exponential of the graph Laplacian of the regions times ``smoothing / 2``,
   spreads activity over neighbors; :math:`R = W |g|^{-\text{depth}}` is the prior.
3. A minimum-norm estimate :math:`J_0 = R (G R)^T (G R R^T G^T + c I)^{-1} m`, where c is
   ``lambda2`` times the mean of that matrix's diagonal, says how large sources are.
4. Scores of regions at each sample, by prelocalization with G W.
5. Parcels around the regions of highest mean score, out to ``order`` neighbors.
6. :math:`\alpha_k(t)` is the median score in the parcel, and 1 above 0.8.
7. :math:`\Sigma_k(t) =` ``variance`` :math:`\langle J_0^2(t) \rangle_k (W^T W)_{kk}`.
8. At each sample the dual is maximized over :math:`\lambda`, and the activity is
   :math:`a_k \Sigma_k G_k^T \lambda`.

What is decided otherwise
-------------------------
The published method (as in BrainEntropy 2.7) works at 8,000 vertices; a region here is
as large as twenty of them, and sources span ten regions and more.

- Parcels reach two neighbors instead of four, which is fewer vertices but a larger
  area: about 100 of them instead of 200.
- W is the exponential itself, of which the published kernel has eight terms: a region
  may have eleven neighbors, and there the series has not converged. It need not be cut.
  ``smoothing`` is 1 instead of 0.6.
- Topographies are scored after W. A patch of regions looks like none of its regions
  alone, and the scores of regions alone hardly rank those of a patch above others.
- The components of the data weigh in the scores by their strength. Weighed alike, as
  published, the background has as many votes as the source.
- :math:`J_0` has the same coherent prior, and the depth weighting of this library's
  sLORETA (0.8, MNE's default; BrainEntropy has one of 0.5 from version 3 on).
  ``variance`` is 1 instead of 0.05: :math:`J_0` already is smaller than the activity,
  and a prior smaller again spreads a strong source over the parcels around it.
- Where no noise covariance is given, noise is equal on all channels and
  ``lambda2`` times as strong as the data, so that one number says both.
- Units are not scaled, for the solution does not depend on them; L-BFGS starts at 0
  instead of at random, for the maximum is unique.

References
----------
The dual and its maximum: Amblard C, Lapalme E, Lina JM (2004), IEEE Transactions on
Biomedical Engineering 51, 427-442. Scores and parcels for epileptic spikes: Grova C,
Daunizeau J, Lina JM, Benar CG, Benali H, Gotman J (2006), NeuroImage 29, 734-753. The
coherent prior within parcels: Chowdhury RA, Lina JM, Kobayashi E, Grova C (2013), PLoS
ONE 8, e55969. Constants as in BrainEntropy 2.7.3; written from the equations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import SignalError, check_range
from ..signals import average_reference
from .activity import activity_of
from .entropy import Dual
from .prelocalization import grow_parcels, space_time_scores
from .whitening import whiten

if TYPE_CHECKING:
    from ..head.model import HeadModel

_CERTAIN = 0.8
"""Median score above which a parcel is surely active, as published."""

_ROUNDING = 1e-12
"""EEG that varies less between channels, as a share of itself, holds no signal."""


@dataclass(frozen=True, eq=False)
class CmemSolution:
    """What :func:`solve_cmem` finds, and how it came about.

    Attributes
    ----------
    activity : array of shape (n_times, n_regions)
        Dipole moment at every vertex of a region, A m.
    parcels : array of int, shape (n_regions,)
        Parcel of each region.
    scores : array of shape (n_times, n_regions)
        How well each region's topography fits the data, 0 to 1.
    alphas : array of shape (n_times, n_parcels)
        Probability that a parcel is active, before the data are explained.
    active : array of shape (n_times, n_parcels)
        The same after.
    dual : array of shape (n_times,)
        Value of the dual at its maximum: entropy of the solution relative to the
        reference, of opposite sign (nats).
    gradient : array of shape (n_times,)
        Norm of the dual's gradient there, relative to that of the data: 0 at the
        maximum.
    """

    activity: NDArray
    parcels: NDArray
    scores: NDArray
    alphas: NDArray
    active: NDArray
    dual: NDArray
    gradient: NDArray


def solve_cmem(
    eeg: NDArray,
    head: HeadModel,
    *,
    noise_cov: NDArray | None = None,
    lambda2: float = 1 / 9,
    depth: float = 0.8,
    smoothing: float = 1.0,
    order: int = 2,
    variance: float = 1.0,
) -> CmemSolution:
    """Image by coherent maximum entropy on the mean, with all that led to the image.

    Parameters
    ----------
    eeg : array of shape (n_times, n_channels)
        EEG, V, in the order of the head model's channels.
    head : HeadModel
        Leadfield, V/(A m), and neighbors of the regions.
    noise_cov : array of shape (n_channels, n_channels) | None
        Noise covariance, V^2. By default equal and independent on all channels, of
        ``lambda2`` times the power of the EEG.
    lambda2 : float
        Regularization of the minimum-norm estimate, 1 / SNR^2 of the amplitude.
    depth : float
        Exponent of the depth weighting of the minimum-norm estimate; 0 for none.
    smoothing : float
        How far activity spreads over neighbors.
    order : int
        How many neighbors a parcel reaches out from its middle.
    variance : float
        Of sources in an active parcel, over their power in the minimum-norm estimate.

    Returns
    -------
    CmemSolution

    Raises
    ------
    OptionError
        An option is out of range.
    SignalError
        The EEG is zero, or as of :func:`~deepsif_lite.solvers.whiten`.

    Notes
    -----
    Regions are gathered into parcels, each silent or active as a whole. How likely each
    is active is read from the data first, by how well the topographies of its regions
    fit them. Of all distributions of activity that explain the data, the one is taken
    that departs least from this expectation, and its mean is the image: a parcel that
    the data do not need stays silent, and within a parcel activity is smooth. Where
    this differs from the published method, the file ``solvers/cmem.py`` says why.

    Extended sources are expected. One of a single region is imaged as a patch, and
    often centimeters away; sLORETA finds its place better.

    References
    ----------
    Amblard, Lapalme and Lina (2004), IEEE Transactions on Biomedical Engineering 51,
    427-442; Grova et al. (2006), NeuroImage 29, 734-753; Chowdhury et al. (2013), PLoS
    ONE 8, e55969.

    Examples
    --------
    >>> import numpy as np
    >>> import deepsif_lite as dl
    >>> from deepsif_lite.solvers import solve_cmem
    >>> head = dl.load_head_model("template-75")
    >>> moments = np.zeros((20, 994))
    >>> course = 1e-8 * np.hanning(20)  # A m
    >>> moments[:, head.cortex.neighbors[100]] = course[:, None]
    >>> found = solve_cmem(moments @ head.leadfield.T, head)
    >>> found.activity.shape
    (20, 994)
    >>> bool(found.gradient.max() < 1e-6)  # the dual's maximum
    True
    """
    check_range("lambda2", lambda2, 0, open_low=True)
    check_range("depth", depth, 0)
    check_range("smoothing", smoothing, 0)
    check_range("order", order, 1)
    check_range("variance", variance, 0, open_low=True)
    data, gain = whiten(eeg, head, noise_cov)
    varying = np.abs(average_reference(np.asarray(eeg, dtype=float), 1)).max()
    if varying <= _ROUNDING * np.abs(eeg).max():
        msg = "eeg is zero after average reference; check that it holds a signal."
        raise SignalError(msg)
    if noise_cov is None:
        level = np.sqrt(lambda2 * (data**2).mean())
        data, gain = data / level, gain / level
    adjacency = head.cortex.adjacency
    kernel = smoothing_kernel(adjacency, smoothing)
    size = _minimum_norm(data, gain, kernel, depth, lambda2)
    scores = space_time_scores(gain @ kernel, data)
    parcels = grow_parcels(scores.mean(axis=0), _within(adjacency, order))
    alphas = of_parcels(np.median, scores.T, parcels)
    alphas[alphas > _CERTAIN] = 1
    powers = variance * of_parcels(np.mean, size**2, parcels)
    return _maximum(data, gain, kernel, parcels, scores, alphas, powers)


solve = activity_of(solve_cmem)


def smoothing_kernel(adjacency: NDArray, smoothing: float) -> NDArray:
    """Return how activity spreads over neighbors.

    Parameters
    ----------
    adjacency : array of bool, shape (n_regions, n_regions)
    smoothing : float
        Twice the time for which activity diffuses; 0 for none.

    Returns
    -------
    array of shape (n_regions, n_regions)
        Symmetric, not negative, with rows that sum to 1.
    """
    from scipy.linalg import expm

    laplacian = adjacency - np.diag(adjacency.sum(axis=1).astype(float))
    return expm(smoothing / 2 * laplacian)


def of_parcels(reduce, values: NDArray, parcels: NDArray) -> NDArray:
    """Reduce the values of each parcel's regions, (n_regions, n_times), to one."""
    members = (values[parcels == k] for k in range(parcels.max() + 1))
    return np.array([reduce(each, axis=0) for each in members])


def _minimum_norm(
    data: NDArray, gain: NDArray, kernel: NDArray, depth: float, lambda2: float
) -> NDArray:
    """Estimate activity, (n_regions, n_times), with a smooth, depth-weighted prior."""
    strength = np.linalg.norm(gain, axis=0)
    root = kernel * (strength / strength.max()) ** -depth
    seen = gain @ root
    cov = seen @ seen.T
    cov += lambda2 * np.trace(cov) / len(cov) * np.eye(len(cov))
    return root @ (seen.T @ np.linalg.solve(cov, data))


def _within(adjacency: NDArray, order: int) -> NDArray:
    """Return which regions are at most ``order`` neighbors apart, themselves too."""
    step = (adjacency | np.eye(len(adjacency), dtype=bool)).astype(np.float32)
    return np.linalg.matrix_power(step, order) > 0


def _maximum(
    data: NDArray,
    gain: NDArray,
    kernel: NDArray,
    parcels: NDArray,
    scores: NDArray,
    alphas: NDArray,
    powers: NDArray,
) -> CmemSolution:
    """Maximize the dual at each sample; return what belongs to the maximum."""
    root = _square_root(kernel.T @ kernel, parcels)
    order = np.argsort(parcels, kind="stable")
    starts = np.searchsorted(parcels[order], np.arange(parcels.max() + 1))
    dual = Dual(data, (gain @ root)[:, order], starts, alphas, powers)
    multipliers = dual.maximize()
    latent, active = dual.expectation(multipliers)
    value, gradient = dual.value_and_gradient(multipliers)
    size = np.linalg.norm(data, axis=0)
    return CmemSolution(
        activity=(root[:, order] @ latent).T,
        parcels=parcels,
        scores=scores,
        alphas=alphas.T,
        active=active.T,
        dual=value,
        gradient=np.linalg.norm(gradient, axis=0) / np.maximum(size, size.max() * 1e-9),
    )


def _square_root(cov: NDArray, parcels: NDArray) -> NDArray:
    """Return the square root of the covariance within each parcel, 0 between them."""
    root = np.zeros_like(cov)
    for k in range(parcels.max() + 1):
        block = np.ix_(parcels == k, parcels == k)
        values, vectors = np.linalg.eigh(cov[block])
        root[block] = vectors * np.sqrt(np.maximum(values, 0))
    return root
