r"""FAST-IRES: extended sources by sparse edges, iteratively reweighted.

Currents are regions times a few time courses, :math:`J = X T`. Of all X that explain
the data up to the noise, those with few edges between neighboring regions and few
active regions are sought:

.. math::
    \min_X \|W_e \circ (V X)\|_1 + \alpha \|W_r \circ X\|_1
    \quad\text{subject to}\quad \|\Phi - G X T\|_F^2 \le \beta

and again with weights that are the smaller, the larger an edge or a current was. See
:mod:`deepsif_lite.solvers.edge_sparse` for the minimization.

What the publication leaves open at the level of regions, or what is decided otherwise:

- Sources are regions of fixed orientation, one component each, not triangles with
  three. V has a row for each pair of regions that touch, and one for each that touches
  the medial wall, where there are no sources and the published mesh goes on. Without
  those, a region of one to three neighbors at the wall costs few edges, and draws
  what the constraint leaves open to itself.
- ``alpha`` is the published one, for triangles. The currents here are densities: a
  region stands for its triangles, and a pair of regions for the edges of triangles
  between them. So the sums are the published ones for currents that are even over each
  region: a region costs by its triangles, a pair by the edges along their border, see
  :func:`~deepsif_lite.solvers.edge_sparse.mesh_weights`. On 994 regions a region weighs
  about nine times an edge on average, and between 12 and 108 triangles make one. Were
  all weighed by the average, a large region would cost no more than a small one and
  be seen better, and large regions would take what is far from them.
- Time courses are orthonormal: those given are replaced by the nearest orthonormal
  ones. Then distances of X and of J are the same, so one projection serves both.
- Each channel is divided by the standard deviation of its noise, instead of all by one
  number. How noise is correlated is not used: whitening by it multiplies what a head
  model gets wrong, and a few hundred samples of slow EEG tell it badly. So all estimates
  of a noise covariance give one image. How strong noise is, that of the window tells,
  by the root mean square of what the time courses do not explain (at least a hundredth
  of the data's). So it does not matter whether the covariance is that of single epochs
  or of their average, and an EEG needs none.
- :math:`\beta` is published as a quantile of the noise's power over channels, times the
  samples, as if noise were as strong at each: the 90 % one for seizures, and for spikes
  a number that depends on the length of the baseline. That is ``bound="samples"``, with
  the quantile of a chi-square distribution, and the default where a noise covariance is
  given, as of a recording with a baseline: its head model is not exact, and what that
  gets wrong needs the room. ``bound="sum"`` is the 95 % quantile of the noise's power
  over all channels and samples, and the default without a covariance. Where the head
  model is exact, as in simulations, images by it are sharper and nearer.
- Noise outside the time courses counts against the bound. Where that uses it up, what
  lies within them may be missed by the 95 % quantile of their own noise. Where the
  bound is above all data, noise explains them and the image is 0.
- The penalty :math:`\lambda` is that of the publication without its lower limit of
  one, which depends on units: here an EEG twice as strong gives currents twice as
  strong. Currents are in units of 1.01 over the penalty during iterations.
- The proximal operator of L1 norm and ellipsoid is exact, see ``edge_sparse``; applied
  one after the other, as in the published code, they end elsewhere, with currents
  that are either not sparse or explain less than the bound asks for. What is returned
  here lies in the ellipsoid.
- ADMM goes on from its variables of the reweighting before: the number of its
  iterations, as published, is small.

Reweighting has many minima. On recordings of patients with a head model that is not
theirs, the place can change with the bound and the time courses. The strongest region
of the published patient's spike is in the left temporal lobe, whose resection cured
him or her, by the defaults and by half to four times the published ``alpha``: with and
without a noise covariance, and by the time courses of single spikes
(:func:`~deepsif_lite.solvers.spike_courses`), of the average, and those published. Of
these 24 images one has it in the right temporal lobe. With all regions weighed alike,
by a noise covariance and two to four times the published ``alpha``, it was at the
medial wall or in another lobe, also where all iterations went on to the minimum and
with one set of weights: neither the number of iterations nor the reweighting was the
cause. The time course matters more: with one principal component alone, the default
``alpha`` misses the temporal lobe. Compare several.

References
----------
Sohrabpour A, Cai Z, Ye S, Brinkmann B, Worrell G, He B (2020). Noninvasive
electromagnetic source imaging of spatiotemporally distributed epileptogenic brain
sources. Nature Communications 11, 1946.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import chdtri  # scipy.stats takes a second to import

from ..errors import check_option, check_range, check_shape
from .activity import activity_of
from .edge_sparse import (
    EdgeSparse,
    Limits,
    State,
    Step,
    Weights,
    admm,
    edge_operator,
    mesh_weights,
    rim_of,
)
from .ellipsoid import Ellipsoid
from .time_basis import orthonormal, principal_courses
from .whitening import whiten

if TYPE_CHECKING:
    from ..cortex.surface import Cortex
    from ..head.model import HeadModel

ALPHA = 0.08
_N_WEIGHTINGS, _N_ADMM, _N_FISTA = 10, 20, 20
_CHANGE = 1e-3  # relative, of iterates, at which FISTA and ADMM end
_WEIGHT_CHANGE = 1e-4  # of the weights, at which reweighting ends
_SMALLEST = 0.05  # of the largest current: what a weight of 1/0.05 belongs to
_PENALTY = 1.01
_FIRST_GUESS = 100.0  # regularization of the first guess, over the SNR
BOUNDS = ("sum", "samples")
"""What may stay unexplained: noise summed, or a strong sample's throughout."""

_QUANTILE = 0.95  # of noise power over all channels and samples
_SAMPLE_QUANTILE = 0.90  # of noise power over channels, as published
_PATCH_SHARE = 1 / 64  # of the largest power: what belongs to a patch
_LEAST_NOISE = 1e-4  # of the data's power


@dataclass(frozen=True, eq=False)
class FastIresSolution:
    """A source image by FAST-IRES, and how it came about.

    Attributes
    ----------
    currents : array of shape (n_regions, n_courses)
        X: V over the leadfield's unit, A m.
    courses : array of shape (n_courses, n_times)
        T, orthonormal.
    bound : float
        Largest squared misfit that is allowed, in units of the noise's variance;
        noise outside the time courses included.
    misfit : float
        Squared misfit, in the same unit.
    noise : float
        Standard deviation of the noise that the time courses leave: V, or a multiple
        of that of the noise covariance where one was given.
    penalty : float
        ADMM's, 1/(A m).
    history : list of Step
        One an iteration of ADMM, over all weightings.
    cortex : Cortex
    """

    currents: NDArray
    courses: NDArray
    bound: float
    misfit: float
    noise: float
    penalty: float
    history: list[Step]
    cortex: Cortex

    @property
    def activity(self) -> NDArray:
        """Currents over time, A m, array of shape (n_times, n_regions)."""
        return self.courses.T @ self.currents.T

    @property
    def n_weightings(self) -> int:
        """Sets of weights that were used."""
        return 1 + self.history[-1].weighting if self.history else 0

    def patch(self, samples: slice = slice(None)) -> NDArray[np.int64]:
        """Return the published extent: the strongest region and what hangs together.

        Parameters
        ----------
        samples : slice
            Over which power is taken; by default all.

        Returns
        -------
        array of int
            Regions with at least 1/64 of the largest power that are connected to the
            region that has it. None where the image is 0.
        """
        power = self.currents**2 @ self.courses[:, samples].var(axis=1)
        if not power.any():
            return np.array([], dtype=np.int64)
        strong = np.flatnonzero(power >= _PATCH_SHARE * power.max())
        touching = csr_array(self.cortex.adjacency[np.ix_(strong, strong)])
        _, part = connected_components(touching, directed=False)
        return strong[part == part[strong == power.argmax()]]


def solve_fast_ires(
    eeg: NDArray,
    head: HeadModel,
    *,
    noise_cov: NDArray | None = None,
    time_courses: NDArray | None = None,
    alpha: float = ALPHA,
    bound: str | None = None,
    n_weightings: int = _N_WEIGHTINGS,
    n_admm: int = _N_ADMM,
    n_fista: int = _N_FISTA,
) -> FastIresSolution:
    """Image EEG by FAST-IRES, and tell how its iterations went.

    Parameters
    ----------
    eeg : array of shape (n_times, n_channels)
        EEG, V, in the order of the head model's channels.
    head : HeadModel
        Leadfield, V/(A m), and cortex.
    noise_cov : array of shape (n_channels, n_channels) | None
        Noise covariance, V^2, any multiple, of which the variances are used. By default
        equal on all channels. How strong noise is, the EEG itself tells.
    time_courses : array of shape (n_courses, n_times) | None
        Of which activity is made, any unit, such as those of
        :func:`~deepsif_lite.solvers.spike_courses`. By default the principal
        components of the EEG that stand out.
    alpha : float
        How much a triangle's current costs, against an edge's. 0.08 as published.
    bound : {"sum", "samples"} | None
        What may stay unexplained: the 95 % quantile of the noise's power, or, about
        as published, samples times the 90 % quantile of its power at one sample. By
        default ``"samples"`` where ``noise_cov`` is given, ``"sum"`` otherwise.
    n_weightings, n_admm, n_fista : int
        Most weightings, iterations of ADMM at each, and iterations of FISTA in each
        of those. 10, 20 and 20 as published.

    Returns
    -------
    FastIresSolution

    Raises
    ------
    OptionError
        ``alpha`` is not positive, ``bound`` is unknown, or a number of iterations is
        below one.
    SignalError
        Shapes do not match, values are not finite, or as of
        :func:`~deepsif_lite.solvers.whiten`.
    WindowError
        Time courses depend on each other.

    Warns
    -----
    UserWarning
        Noise alone explains the EEG, and the image is 0.
    """
    check_range("alpha", alpha, 0, open_low=True)
    if bound is None:
        bound = "sum" if noise_cov is None else "samples"
    check_option("bound", bound, BOUNDS)
    iterations = {"n_weightings": n_weightings, "n_admm": n_admm, "n_fista": n_fista}
    for name, value in iterations.items():
        check_range(name, value, 1)
    data, gain = whiten(eeg, head, _of_channels(noise_cov))
    courses = _courses(data, time_courses)
    noise = _noise_level(data, courses)
    data, gain = data / noise, gain / noise
    ellipsoid, outside = _ellipsoid(data, gain, courses, bound)
    unit = _current_unit(ellipsoid, courses, len(gain))
    ellipsoid = replace(ellipsoid, values=ellipsoid.values * unit)
    currents, history = np.zeros((gain.shape[1], len(courses))), []
    if ellipsoid.misfit(currents) <= ellipsoid.bound:
        warnings.warn(
            "Noise alone explains the EEG within the bound of FAST-IRES; the image is "
            "0. Average more epochs, or crop the recording around its peak.",
            stacklevel=2,
        )
    else:
        edges = edge_operator(head.cortex.adjacency, rim_of(head.cortex))
        problem = EdgeSparse(edges, ellipsoid)
        state = problem.start(_first_guess(ellipsoid, data), _PENALTY)
        limits = Limits(n_admm, n_fista, _CHANGE)
        mesh = mesh_weights(head.cortex)
        cost = mesh._replace(regions=alpha * mesh.regions)
        history = _reweight(problem, state, cost, limits, n_weightings)
        currents = state.currents
    return FastIresSolution(
        currents=currents * unit,
        courses=courses,
        bound=ellipsoid.bound + outside,
        misfit=ellipsoid.misfit(currents) + outside,
        noise=noise,
        penalty=_PENALTY / unit,
        history=history,
        cortex=head.cortex,
    )


solve = activity_of(solve_fast_ires)


def _of_channels(noise_cov: NDArray | None) -> NDArray | None:
    """Keep the variances of a covariance, and NaN wherever one stands."""
    if noise_cov is None or np.ndim(noise_cov) != 2:  # which whiten refuses
        return noise_cov
    return np.asarray(noise_cov, float) * np.eye(*np.shape(noise_cov))


def _courses(data: NDArray, given: NDArray | None) -> NDArray:
    """Return orthonormal time courses, (n_courses, n_times)."""
    if given is None:
        return principal_courses(data)
    check_shape("time_courses", np.shape(given), ("n_courses", data.shape[1]))
    return orthonormal(np.asarray(given, dtype=float))


def _noise_level(data: NDArray, courses: NDArray) -> float:
    """Return the root mean square of what the time courses leave."""
    total = (data**2).sum()
    left = total - ((data @ courses.T) ** 2).sum()
    free = len(data) * max(data.shape[1] - len(courses), 1)
    power = max(left / free, _LEAST_NOISE * total / data.size)
    return float(np.sqrt(power)) or 1.0  # 1 for an EEG of zeros


def _ellipsoid(
    data: NDArray, gain: NDArray, courses: NDArray, rule: str
) -> tuple[Ellipsoid, float]:
    """Return the constraint, and the power that no currents explain."""
    u, values, vectors = np.linalg.svd(gain, full_matrices=False)
    seen = values > values[0] * np.finfo(float).eps * max(gain.shape)
    u, values, vectors = u[:, seen], values[seen], vectors[seen]
    wanted = u.T @ data @ courses.T
    outside = float((data**2).sum() - (wanted**2).sum())
    if rule == "sum":
        bound = _quantile(_QUANTILE, data.size)
    else:
        bound = data.shape[1] * _quantile(_SAMPLE_QUANTILE, len(data))
    bound = max(bound - outside, _quantile(_QUANTILE, wanted.size))
    return Ellipsoid(vectors, values, wanted, bound), outside


def _quantile(share: float, degrees: int) -> float:
    """Return a quantile of the chi-square distribution."""
    return float(chdtri(degrees, 1 - share))


def _current_unit(ellipsoid: Ellipsoid, courses: NDArray, n_channels: int) -> float:
    """Return about how large currents are: one over the published penalty."""
    seen = ellipsoid.values[:, None] * (ellipsoid.data @ courses)
    strongest = np.linalg.norm(seen, axis=0).max()
    # Any unit will do for an EEG of zeros.
    return strongest / (ellipsoid.values[0] ** 2 * np.sqrt(n_channels)) or 1.0


def _first_guess(ellipsoid: Ellipsoid, data: NDArray) -> NDArray:
    """Return depth-weighted minimum-norm currents, (n_regions, n_courses)."""
    gain = ellipsoid.values[:, None] * ellipsoid.vectors
    depth = 1 / np.linalg.norm(gain, axis=0)
    weighted = gain * depth
    gram = weighted @ weighted.T
    mean_power = np.trace(gram) / len(gram)
    gram += _FIRST_GUESS / (data**2).mean() * mean_power * np.eye(len(gram))
    return depth[:, None] * (weighted.T @ np.linalg.solve(gram, ellipsoid.data))


def _reweight(
    problem: EdgeSparse, state: State, cost: Weights, limits: Limits, n_weightings: int
) -> list[Step]:
    """Minimize with one set of weights after the other; changes the state."""
    regions, edges = np.ones_like(state.currents), np.ones_like(state.split)
    history = []
    for weighting in range(n_weightings):
        share = np.abs(state.currents).sum(axis=0)
        share /= share.max()  # weak time courses are less sparse
        weights = Weights(cost.regions * share * regions, cost.edges * edges)
        history += admm(problem, weights, state, limits, weighting)
        before = regions, edges
        regions = _weights_of(state.currents)
        edges = _weights_of(problem.edges @ state.currents)
        if max(map(_change, before, (regions, edges))) < _WEIGHT_CHANGE:
            break
    return history


def _weights_of(values: NDArray) -> NDArray:
    """Return weights that fall with the size of values, for each time course."""
    size = np.abs(values)
    return 1 / (size / np.maximum(size.max(axis=0), np.finfo(float).tiny) + _SMALLEST)


def _change(before: NDArray, after: NDArray) -> float:
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))
