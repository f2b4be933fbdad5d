r"""Currents with few edges and few active regions, among those that explain the data.

.. math::
    \min_X \|W_e \circ (V X)\|_1 + \|W_r \circ X\|_1
    \quad\text{subject to}\quad \|Y - G X\|_F^2 \le \beta

V takes the difference of each pair of neighboring regions, and the value of a region
beside the medial wall. ADMM splits the edges off
(:math:`E = V X`); what remains for X at each of its iterations,

.. math:: \min_X \lambda/2 \, \|V X - T\|_F^2 + \|W_r \circ X\|_1
    \quad\text{subject to the same,}

is solved by FISTA (Beck and Teboulle 2009, SIAM Journal on Imaging Sciences 2,
183-202). Its proximal operator is that of two functions at once, of the weighted
L1 norm (a soft threshold) and of the ellipsoid (a projection). Applied one after the
other, they are not the proximal operator of the sum. They become it when what the
projection took away is given back before the next threshold (Dykstra's algorithm;
Bauschke and Combettes 2008, Archiv der Mathematik 91, 63-68). One such alternation an
iteration, continued from the one before, is enough for FISTA to end at the minimum.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import eigh

from .ellipsoid import Ellipsoid

if TYPE_CHECKING:
    from ..cortex.surface import Cortex

_SAFETY = 1.1  # FISTA's step over the largest curvature, as published
_UNBALANCED, _PENALTY_STEP = 10.0, 2.0  # as Boyd et al. (2011) have them
_RELATIVE, _ABSOLUTE = 1e-4, 1e-8  # residuals at which ADMM ends, as published


class Weights(NamedTuple):
    """What a unit of each region's and each edge's value costs."""

    regions: NDArray  # (n_regions, n_courses)
    edges: NDArray  # (n_edges, n_courses)


class Limits(NamedTuple):
    """When iterations end."""

    admm: int
    fista: int
    change: float  # relative, of an iterate


class Step(NamedTuple):
    """Where one iteration of ADMM arrived.

    Attributes
    ----------
    weighting : int
        Which set of weights, from 0.
    objective : float
        Weighted sum of edges and regions.
    misfit : float
        Over its bound.
    primal, dual : float
        Residuals of ADMM, relative to what they are compared with: edges against the
        split-off edges, and their change.
    n_fista : int
        Iterations of FISTA it took.
    """

    weighting: int
    objective: float
    misfit: float
    primal: float
    dual: float
    n_fista: int


@dataclass(eq=False)
class State:
    """What iterations go on from.

    Attributes
    ----------
    currents : array of shape (n_regions, n_courses)
        X, always in the ellipsoid once an iteration was made.
    normal : array of shape (n_regions, n_courses)
        What the last projection took away.
    split, scaled_dual : array of shape (n_edges, n_courses)
        ADMM's edges and its dual variable over the penalty.
    penalty : float
        ADMM's, lambda.
    multiplier : float
        Of the ellipsoid, for a quick start of its root.
    """

    currents: NDArray
    normal: NDArray
    split: NDArray
    scaled_dual: NDArray
    penalty: float
    multiplier: float = 0.0

    def balance(self, primal: float, dual: float) -> None:
        """Change the penalty where one of ADMM's residuals is far behind the other.

        Boyd et al. 2011, Foundations and Trends in Machine Learning 3, section 3.4.1.
        """
        factor = 1.0
        if primal > _UNBALANCED * dual:
            factor = _PENALTY_STEP
        elif dual > _UNBALANCED * primal:
            factor = 1 / _PENALTY_STEP
        self.penalty *= factor
        self.scaled_dual = self.scaled_dual / factor
        self.normal = self.normal / factor


@dataclass(frozen=True, eq=False)
class EdgeSparse:
    """The problem but for its weights.

    Attributes
    ----------
    edges : sparse array of shape (n_edges, n_regions)
        V: one row a pair of neighbors, and one a region of the rim.
    ellipsoid : Ellipsoid
    """

    edges: sparse.csr_array
    ellipsoid: Ellipsoid
    laplacian: sparse.csr_array = field(init=False)  # V^T V
    curvature: float = field(init=False)  # a bound of its eigenvalues

    def __post_init__(self) -> None:
        laplacian = (self.edges.T @ self.edges).tocsr()
        last = laplacian.shape[0] - 1
        (largest,) = eigh(
            laplacian.toarray(), eigvals_only=True, subset_by_index=(last, last)
        )
        object.__setattr__(self, "laplacian", laplacian)
        object.__setattr__(self, "curvature", _SAFETY * largest)

    def start(self, currents: NDArray, penalty: float) -> State:
        """Return the state of a first guess, array of shape (n_regions, n_courses)."""
        edges = self.edges @ currents
        normal, dual = np.zeros_like(currents), np.zeros_like(edges)
        return State(currents, normal, edges, dual, penalty)

    def objective(self, currents: NDArray, weights: Weights) -> float:
        """Return what is minimized."""
        regions = (weights.regions * np.abs(currents)).sum()
        return float(regions + (weights.edges * np.abs(self.edges @ currents)).sum())


def edge_operator(adjacency: NDArray, rim: NDArray | None = None) -> sparse.csr_array:
    """Return the operator that takes the difference of each pair of neighbors.

    Parameters
    ----------
    adjacency : array of bool, shape (n_regions, n_regions)
    rim : array of int | None
        Regions beside a part of the surface without sources, see :func:`rim_of`.
        There nothing flows, so their own value is the difference.

    Returns
    -------
    sparse array of shape (n_edges, n_regions)
        +1 and -1 in each row of a pair, then +1 in each row of the rim.
    """
    first, second = np.nonzero(np.triu(adjacency))
    n_pairs, rim = len(first), np.array([], int) if rim is None else rim
    rows = np.r_[np.tile(np.arange(n_pairs), 2), n_pairs + np.arange(len(rim))]
    signs = np.r_[np.repeat([1.0, -1.0], n_pairs), np.ones(len(rim))]
    shape = (n_pairs + len(rim), len(adjacency))
    return sparse.csr_array((signs, (rows, np.r_[first, second, rim])), shape=shape)


def rim_of(cortex: Cortex) -> NDArray[np.int64]:
    """Return the regions that touch what belongs to none, such as the medial wall."""
    _, pairs = _borders(cortex)
    return np.unique(pairs[(pairs < 0).any(axis=1)].max(axis=1))


def mesh_weights(cortex: Cortex) -> Weights:
    """Return what regions and edges cost if sums are those over the mesh's triangles.

    Parameters
    ----------
    cortex : Cortex

    Returns
    -------
    Weights
        For currents that are even over each region: its triangles, array of shape
        (n_regions, 1), and edges of triangles along each border, (n_edges, 1), in the
        order of :func:`edge_operator` with :func:`rim_of`; both over the mean border
        of two regions. A triangle belongs to the region of most of its corners, to the
        middle one of three. Regions that touch at a corner share one edge.
    """
    region, pairs = _borders(cortex)
    n_regions = cortex.n_regions
    triangles = np.bincount(region[region >= 0], minlength=n_regions)
    shared = np.zeros((n_regions + 1, n_regions + 1))  # the last is no region
    np.add.at(shared, tuple(pairs.T), 1)
    first, second = np.nonzero(np.triu(cortex.adjacency))
    between = np.maximum(shared[first, second], 1)
    edges = np.r_[between, shared[-1, rim_of(cortex)]] / between.mean()
    return Weights((triangles / between.mean())[:, None], edges[:, None])


def _borders(cortex: Cortex) -> tuple[NDArray, NDArray]:
    """Return the region of each triangle, and of the two at each edge on a border.

    Shapes (n_triangles,) and (n_edges, 2), the smaller number first; -1 is no region.
    """
    region = np.sort(cortex.region_of_vertex[cortex.faces], axis=1)[:, 1]
    corners = cortex.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    _, edge = np.unique(np.sort(corners, axis=1), axis=0, return_inverse=True)
    # Sorted by edge, the two triangles beside an edge follow each other.
    order = np.argsort(edge.ravel(), kind="stable")
    edge, beside = edge.ravel()[order], np.repeat(region, 3)[order]
    shared = np.flatnonzero(edge[1:] == edge[:-1])
    pairs = np.sort(np.c_[beside[shared], beside[shared + 1]], axis=1)
    return region, pairs[pairs[:, 0] != pairs[:, 1]]


def soft_threshold(values: NDArray, threshold: NDArray | float) -> NDArray:
    """Bring values nearer to 0 by a threshold, those within it to 0."""
    return values - np.clip(values, -threshold, threshold)


def fista(
    problem: EdgeSparse, target: NDArray, weights: NDArray, state: State, limits: Limits
) -> int:
    """Minimize over X given the edges; changes the state.

    Parameters
    ----------
    problem : EdgeSparse
    target : array of shape (n_edges, n_courses)
        T.
    weights : array of shape (n_regions, n_courses)
    state : State
    limits : Limits

    Returns
    -------
    int
        Iterations made.
    """
    wanted = problem.edges.T @ target
    threshold = weights / (state.penalty * problem.curvature)
    ahead, momentum = state.currents, 1.0
    n_made = 0
    while n_made < limits.fista:
        n_made += 1
        before = state.currents
        moved = ahead - (problem.laplacian @ ahead - wanted) / problem.curvature
        outside = soft_threshold(moved - state.normal, threshold) + state.normal
        state.currents, state.multiplier = problem.ellipsoid.project(
            outside, state.multiplier
        )
        state.normal = outside - state.currents
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        step = state.currents - before
        ahead = state.currents + (momentum - 1) / following * step
        momentum = following
        if np.linalg.norm(step) <= limits.change * np.linalg.norm(state.currents):
            break
    return n_made


def admm(
    problem: EdgeSparse,
    weights: Weights,
    state: State,
    limits: Limits,
    weighting: int = 0,
) -> list[Step]:
    """Minimize for one set of weights; changes the state.

    Parameters
    ----------
    problem : EdgeSparse
    weights : Weights
    state : State
    limits : Limits
    weighting : int
        Written into the history.

    Returns
    -------
    list of Step
        One an iteration.
    """
    history = []
    for _ in range(limits.admm):
        target = state.split + state.scaled_dual
        n_fista = fista(problem, target, weights.regions, state, limits)
        edges, before = problem.edges @ state.currents, state.split
        threshold = weights.edges / state.penalty
        state.split = soft_threshold(edges - state.scaled_dual, threshold)
        state.scaled_dual = state.scaled_dual + state.split - edges
        primal, dual = _residuals(problem, state, edges, before)
        objective = problem.objective(state.currents, weights)
        misfit = problem.ellipsoid.misfit(state.currents) / problem.ellipsoid.bound
        history.append(Step(weighting, objective, misfit, primal, dual, n_fista))
        change = np.linalg.norm(state.split - before)
        if change <= limits.change * np.linalg.norm(state.split):
            break
        if max(primal, dual) <= 1:
            break
        state.balance(primal, dual)
    return history


def _residuals(
    problem: EdgeSparse, state: State, edges: NDArray, before: NDArray
) -> tuple[float, float]:
    """Return ADMM's residuals over what they may be at the end."""
    scale = max(np.linalg.norm(edges), np.linalg.norm(state.split))
    primal = np.linalg.norm(state.split - edges)
    dual = np.linalg.norm(problem.edges.T @ (before - state.split))
    dual_scale = np.linalg.norm(problem.edges.T @ state.scaled_dual)
    allowed = np.sqrt(edges.size) * _ABSOLUTE + _RELATIVE * scale
    dual_allowed = np.sqrt(state.currents.size) * _ABSOLUTE + _RELATIVE * dual_scale
    return float(primal / allowed), float(dual / dual_allowed)
