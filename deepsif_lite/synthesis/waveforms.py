"""Time courses of sources that are not spikes: transients, oscillations, rhythms.

The clips of the neural mass model hold interictal spikes. Evoked responses are slower
or faster, alone or in trains, and a network that knows spikes alone has seen one kind.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .artifact_courses import WIDTH_OF_SIGMA

KINDS = ("transient", "damped", "rhythm")
_WIDTH = (0.02, 0.5)  # s, of a transient, drawn evenly in its logarithm
_DAMPED, _RHYTHM = (2.0, 40.0), (3.0, 30.0)  # Hz, likewise
_CYCLES = (0.5, 3.0)  # in which a damped oscillation falls to 1/e


def draw_waveform(n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray:
    """Draw one time course.

    Parameters
    ----------
    n_times : int
    sfreq : float
        Hz.
    rng : numpy.random.Generator

    Returns
    -------
    array of shape (n_times,)
        Largest magnitude 1, which is positive.
    """
    times = np.arange(n_times) / sfreq
    kind = KINDS[rng.integers(len(KINDS))]
    peak = rng.uniform(0.1, 0.9) * times[-1]
    if kind == "transient":
        course = _transient(times - peak, rng)
    elif kind == "damped":
        course = _damped(times - peak, rng)
    else:
        course = _rhythm(times, peak, rng)
    extreme = course[np.abs(course).argmax()]
    return course / extreme


def draw_rhythm(n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray:
    """Draw a rhythm of the cortex: theta, alpha, mu or beta, in bursts or all along.

    Parameters
    ----------
    n_times : int
    sfreq : float
        Hz.
    rng : numpy.random.Generator

    Returns
    -------
    array of shape (n_times,)
    """
    times = np.arange(n_times) / sfreq
    return _rhythm(times, rng.uniform(0, 1) * times[-1], rng)


def _log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _transient(times: NDArray, rng: np.random.Generator) -> NDArray:
    """Return a deflection and one or two of other sign and size after it."""
    width = _log_uniform(*_WIDTH, rng) / WIDTH_OF_SIGMA
    course = np.exp(-0.5 * (times / width) ** 2)
    for k in range(1, rng.integers(1, 4)):
        later = times - k * rng.uniform(2, 3) * width
        spread = width * rng.uniform(1, 2)
        course += rng.uniform(-0.8, 0.4) * np.exp(-0.5 * (later / spread) ** 2)
    return course


def _damped(times: NDArray, rng: np.random.Generator) -> NDArray:
    """Return an oscillation that begins at time 0 and fades."""
    frequency = _log_uniform(*_DAMPED, rng)
    decay = rng.uniform(*_CYCLES) / frequency
    after = np.maximum(times, 0)
    return np.exp(-after / decay) * np.sin(2 * np.pi * frequency * after)


def _rhythm(times: NDArray, peak: float, rng: np.random.Generator) -> NDArray:
    """Return an oscillation that waxes and wanes, or goes on all along."""
    frequency = _log_uniform(*_RHYTHM, rng)
    width = rng.uniform(0.2, 2) * times[-1]
    wander = 0.3 * np.cumsum(rng.standard_normal(len(times))) / np.sqrt(len(times))
    phase = 2 * np.pi * frequency * times + rng.uniform(0, 2 * np.pi) + wander
    return np.exp(-0.5 * ((times - peak) / width) ** 2) * np.cos(phase)
