"""Scores of a whole map of the cortex, which need no threshold.

What a threshold hides is seen here: how well the values of a map order the regions,
and how far its mass lies from where it belongs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import SignalError, check_shape

_LEAST_SHARE = 1e-9  # of all mass, which moves nothing by a nanometer


def average_precision(strength: NDArray, regions: NDArray) -> float:
    """Return the area under the curve of precision over recall (average precision).

    The regions are called active one after the other, the strongest first; the
    precision at each true one is averaged.

    Parameters
    ----------
    strength : array of shape (n_regions,)
        Map of an estimate, any unit, larger where a region is more likely active.
    regions : array of int
        Regions that are truly active.

    Returns
    -------
    float
        1 where all true regions come first; about the share of true regions for a
        map that knows nothing.

    Raises
    ------
    SignalError
        No region is active, or values are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from deepsif_lite.metrics import average_precision
    >>> average_precision(np.array([0.9, 0.1, 0.8, 0.2]), np.array([0, 2]))
    1.0
    """
    from sklearn.metrics import average_precision_score

    strength = _check_map("strength", strength)
    active = np.zeros(len(strength), dtype=bool)
    active[np.asarray(regions, dtype=int)] = True
    if not active.any():
        msg = "regions is empty; a map is scored against at least one active region."
        raise SignalError(msg)
    return float(average_precision_score(active, strength))


def earth_movers_distance(
    strength: NDArray, truth: NDArray, distances: NDArray
) -> float:
    """Return the least mean distance over which a map must be moved onto the truth.

    Both maps are scaled to a sum of one (Wasserstein distance of first order). The
    problem of transport is solved exactly by SciPy's linear program.

    Parameters
    ----------
    strength, truth : array of shape (n_regions,)
        Maps of estimate and truth, not negative, any unit.
    distances : array of shape (n_regions, n_regions)
        Distance between regions, m.

    Returns
    -------
    float
        Meters; 0 where the maps agree but for their scale.

    Raises
    ------
    SignalError
        A map has negative values, or none above zero.

    Examples
    --------
    >>> import numpy as np
    >>> from deepsif_lite.metrics import earth_movers_distance
    >>> distances = np.array([[0.0, 0.01], [0.01, 0.0]])
    >>> found, truth = np.array([3.0, 1.0]), np.array([1.0, 0.0])
    >>> earth_movers_distance(found, truth, distances)
    0.0025
    """
    from scipy.optimize import linprog
    from scipy.sparse import eye_array, kron, vstack

    moved, wanted = _mass("strength", strength), _mass("truth", truth)
    # What both hold in one place stays there: distances obey the triangle inequality.
    common = np.minimum(moved, wanted)
    source, sink = moved - common, wanted - common
    origins, ends = np.flatnonzero(source), np.flatnonzero(sink)
    if min(len(origins), len(ends)) == 0:
        return 0.0
    total = source[origins].sum()  # of both, but for rounding
    supply, demand = source[origins] / total, sink[ends] / sink[ends].sum()
    ones_in, ones_out = np.ones((1, len(ends))), np.ones((1, len(origins)))
    balance = vstack(
        [
            kron(eye_array(len(origins)), ones_in),
            kron(ones_out, eye_array(len(ends))),
        ],
        format="csr",
    )
    cost = distances[np.ix_(origins, ends)].ravel()
    plan = linprog(
        cost, A_eq=balance[:-1], b_eq=np.r_[supply, demand][:-1], method="highs"
    )
    return float(total * plan.fun)


def _mass(name: str, values: NDArray) -> NDArray:
    """Scale a map to a sum of one."""
    values = _check_map(name, values)
    if values.min() < 0 or values.max() == 0:
        msg = f"{name} must be not negative and somewhere above zero; take magnitudes."
        raise SignalError(msg)
    mass = values / values.sum()
    mass[mass < _LEAST_SHARE] = 0
    return mass / mass.sum()


def _check_map(name: str, values: NDArray) -> NDArray:
    values = np.asarray(values, dtype=float)
    check_shape(name, values.shape, ("n_regions",))
    if not np.isfinite(values).all():
        msg = f"{name} holds NaN or infinite values; score finite maps."
        raise SignalError(msg)
    return values
