"""Fixed points of a region without links, and whether they are stable.

With all derivatives at zero the six equations leave one: the mean input at which the
region can rest at a given potential. Its graph is the bifurcation diagram, and the
fixed points at an input are where the graph has that height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from .model import MODEL

#: Two fixed points that are closer than this are not told apart, mV.
RESOLUTION = 0.005


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """A state that the equations without noise do not leave.

    Attributes
    ----------
    potential : float
        y1 - y2 (mV).
    state : array of shape (6,)
        y0 to y5 (mV and mV/ms).
    stable : bool
        Whether a small perturbation dies out.
    """

    potential: float
    state: NDArray[np.float64]
    stable: bool


def resting_input(potential: ArrayLike, gain: float) -> NDArray[np.float64]:
    """Mean input at which a region without links can rest at given potentials.

    Parameters
    ----------
    potential : array
        y1 - y2 (mV).
    gain : float
        Excitatory gain A (mV).

    Returns
    -------
    mean_input : array of the same shape
        mu (1/ms). Its maximum below threshold is the saddle-node bifurcation: beyond
        it the region has no fixed point on the lower branch.
    """
    potential = np.asarray(potential, dtype=float)
    y0, y2 = _pyramidal_and_inhibitory(potential, gain)
    return (potential + y2) * MODEL.excitatory_rate / gain - _to_excitatory(y0)


def right_hand_side(
    state: ArrayLike, gain: float, mean_input: float
) -> NDArray[np.float64]:
    """Time derivatives of a region without links.

    Parameters
    ----------
    state : array of shape (6, ...)
        y0 to y5 (mV and mV/ms).
    gain, mean_input : float
        A (mV) and mu (1/ms).

    Returns
    -------
    derivatives : array of shape (6, ...)
        mV/ms and mV/ms^2.
    """
    y0, y1, y2, y3, y4, y5 = np.asarray(state, dtype=float)
    a, b = MODEL.excitatory_rate, MODEL.inhibitory_rate
    to_excitatory = mean_input + _to_excitatory(y0)
    return np.array(
        [
            y3,
            y4,
            y5,
            gain * a * MODEL.firing_rate(y1 - y2) - 2 * a * y3 - a**2 * y0,
            gain * a * to_excitatory - 2 * a * y4 - a**2 * y1,
            MODEL.inhibitory_gain * b * _to_inhibitory(y0) - 2 * b * y5 - b**2 * y2,
        ]
    )


def find_fixed_points(gain: float, mean_input: float) -> list[FixedPoint]:
    """Find every fixed point of a region without links.

    Parameters
    ----------
    gain : float
        Excitatory gain A (mV).
    mean_input : float
        mu (1/ms).

    Returns
    -------
    points : list of FixedPoint
        In order of their potential; one or three but for the bifurcations themselves.
    """

    def excess(potential: ArrayLike) -> NDArray[np.float64]:
        return resting_input(potential, gain) - mean_input

    potentials = _reachable_potentials(gain, mean_input)
    below = np.flatnonzero(np.diff(np.signbit(excess(potentials))))
    roots = [brentq(excess, *potentials[k : k + 2], xtol=1e-13) for k in below]
    return [_fixed_point(root, gain) for root in roots]


def _fixed_point(potential: float, gain: float) -> FixedPoint:
    y0, y2 = _pyramidal_and_inhibitory(potential, gain)
    state = np.array([y0, potential + y2, y2, 0.0, 0.0, 0.0])
    growth = np.linalg.eigvals(_jacobian(state, gain)).real.max()
    return FixedPoint(potential, state, bool(growth < 0))


def _jacobian(state: NDArray[np.float64], gain: float) -> NDArray[np.float64]:
    """Return d right_hand_side[i] / d state[j], shape (6, 6)."""
    y0, y1, y2 = state[:3]
    a, b = MODEL.excitatory_rate, MODEL.inhibitory_rate
    reach = MODEL.pyramidal_to_excitatory * MODEL.contacts
    to_excitatory = MODEL.excitatory_to_pyramidal * MODEL.contacts * reach
    to_excitatory *= _steepness(reach * y0)
    reach = MODEL.pyramidal_to_inhibitory * MODEL.contacts
    to_inhibitory = MODEL.inhibitory_to_pyramidal * MODEL.contacts * reach
    to_inhibitory *= _steepness(reach * y0)
    jacobian = np.zeros((6, 6))
    jacobian[:3, 3:] = np.eye(3)
    rates = np.array([a, a, b])
    jacobian[3:, :3] = np.diag(-(rates**2))
    jacobian[3:, 3:] = np.diag(-2 * rates)
    jacobian[3, 1:3] = gain * a * _steepness(y1 - y2) * np.array([1, -1])
    jacobian[4, 0] = gain * a * to_excitatory
    jacobian[5, 0] = MODEL.inhibitory_gain * b * to_inhibitory
    return jacobian


def _steepness(potential: float) -> float:
    """Differentiate the firing rate, 1/(ms mV)."""
    fired = float(MODEL.firing_rate(potential))
    return MODEL.slope * fired * (1 - fired / (2 * MODEL.max_rate))


def _reachable_potentials(gain: float, mean_input: float) -> NDArray[np.float64]:
    """Grid over all y1 - y2 that rates between zero and their maximum can hold."""
    top = 2 * MODEL.max_rate * MODEL.contacts
    excitatory = gain / MODEL.excitatory_rate
    inhibitory = MODEL.inhibitory_gain / MODEL.inhibitory_rate
    low = excitatory * mean_input - inhibitory * MODEL.inhibitory_to_pyramidal * top
    high = excitatory * (mean_input + MODEL.excitatory_to_pyramidal * top)
    return np.arange(low - RESOLUTION, high + 2 * RESOLUTION, RESOLUTION)


def _pyramidal_and_inhibitory(
    potential: NDArray | float, gain: float
) -> tuple[NDArray, NDArray]:
    """y0 and y2 at rest, mV."""
    y0 = gain / MODEL.excitatory_rate * MODEL.firing_rate(potential)
    return y0, MODEL.inhibitory_gain / MODEL.inhibitory_rate * _to_inhibitory(y0)


def _to_excitatory(y0: NDArray | float) -> NDArray:
    """Rate that the excitatory interneurons send back, 1/ms."""
    fired = MODEL.firing_rate(MODEL.pyramidal_to_excitatory * MODEL.contacts * y0)
    return MODEL.excitatory_to_pyramidal * MODEL.contacts * fired


def _to_inhibitory(y0: NDArray | float) -> NDArray:
    """Rate that the inhibitory interneurons send back, 1/ms."""
    fired = MODEL.firing_rate(MODEL.pyramidal_to_inhibitory * MODEL.contacts * y0)
    return MODEL.inhibitory_to_pyramidal * MODEL.contacts * fired
