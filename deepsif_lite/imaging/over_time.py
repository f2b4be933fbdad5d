"""Probability that a region is active at a time, from that of its whole window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

OF_PEAK = 0.5
"""Share of a region's own peak in the window above which it is active at a time."""

# How far the course of an active region is from the truth, as a share of its peak
# (standard deviation): of all values, the likeliest on simulated recordings of the
# heads of training. Noise that shows in the course itself is next to nothing, for the
# network has taken it away.
_SPREAD = 0.2


def probability_over_time(activity: NDArray, probability: NDArray) -> NDArray:
    """Return the probability that each region is active at each time.

    It is the probability that the region is active at all, times that of its course
    being above :data:`OF_PEAK` at that time, given the course of the image and its
    usual error. Other shares of the peak would need errors of their own. On heads, caps
    and clips that training never met, probabilities above .2 were true to .03 and to
    .05 (two sets of recordings; ``benchmarks/calibration.py``).

    Parameters
    ----------
    activity : array of shape (n_regions, n_times)
        Of the window that was imaged, any unit.
    probability : array of shape (n_regions,)
        That a region is active at any time of the window.

    Returns
    -------
    array of shape (n_regions, n_times)
    """
    from scipy.special import ndtr

    size = np.abs(activity)
    peak = size.max(axis=1, keepdims=True)
    size = size / np.where(peak > 0, peak, 1)
    above = ndtr((size - OF_PEAK) / _SPREAD) + ndtr(-(size + OF_PEAK) / _SPREAD)
    return probability[:, None] * above
