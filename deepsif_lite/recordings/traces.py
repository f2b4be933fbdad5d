"""Traces in the values of what was done to them: processing, converters, mains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..signals import remove_trend
from .quality import MAX_SAMPLES, channel_rows

MAINS = (50, 60)
"""Hz, of electric power around the world."""

_NEAR_ZERO = 0.1  # of its largest value, where a magnitude is smallest
_ALIKE, _LEAST_ALIKE = 1e-5, 8  # relative spread of sizes, channels
_STAY = 5  # samples at the value where a channel is cut off
_JUMP, _STEPS = 0.02, 3  # to the value where it is cut: of its range, resolutions
_LEAST_FOR_MAINS, _LINE_WIDTH = 0.3, 1.0  # s, Hz
_TINY = np.finfo(float).tiny


def find_processing(data: NDArray) -> str:
    """Tell values that are potentials no more.

    Parameters
    ----------
    data : array of shape (..., n_channels, n_times)
        EEG as recorded, offsets included.

    Returns
    -------
    str
        What was found: magnitudes, or channels of one size. Empty for EEG.
    """
    rows = channel_rows(data)
    rows = rows[np.ptp(rows, axis=1) > 0]
    low, high = rows.min(axis=1), rows.max(axis=1)
    if (low >= 0).all() and (low <= _NEAR_ZERO * high).all():
        return "All values are positive, as magnitudes, envelopes and powers are"
    if len(rows) < _LEAST_ALIKE:
        return ""
    for name, size in (
        ("standard deviation", rows.std(axis=1)),
        ("largest magnitude", np.maximum(-low, high)),
    ):
        if np.ptp(size) < _ALIKE * size.mean():
            return f"All channels have the same {name}: each was scaled by itself"
    return ""


def find_clipped(data: NDArray) -> list[int]:
    """Find channels that are cut off at their largest or their smallest value.

    Parameters
    ----------
    data : array of shape (..., n_channels, n_times)
        EEG as recorded.

    Returns
    -------
    list of int
        They stay at that value for some samples, and come there by a jump: slow signals
        come by steps of the resolution, and what is averaged or filtered hardly stays.
    """
    rows = channel_rows(data)
    clipped = np.zeros(len(rows), dtype=bool)
    for sign in (-1, 1):
        at_top = sign * rows == (sign * rows).max(axis=1, keepdims=True)
        run = at_top[:, : max(0, rows.shape[1] - _STAY + 1)]
        for k in range(1, _STAY):
            run = run & at_top[:, k : k + run.shape[1]]
        stays = run.any(axis=1)
        for row in np.flatnonzero(stays & (np.ptp(rows, axis=1) > 0)):
            steps = np.abs(np.diff(rows[row]))
            jump = steps[at_top[row, 1:] != at_top[row, :-1]].max()
            resolution = steps[steps > 0].min()
            least = max(_JUMP * np.ptp(rows[row]), _STEPS * resolution)
            clipped[row] |= jump > least
    return np.flatnonzero(clipped).tolist()


def find_mains(data: NDArray, sfreq: float) -> tuple[int, float]:
    """Tell how much of a recording is the hum of mains.

    Parameters
    ----------
    data : array of shape (..., n_channels, n_times)
        EEG, average reference.
    sfreq : float
        Hz.

    Returns
    -------
    frequency : int
        50 or 60 Hz, of which there is more.
    share : float
        Of the power, without trends, 0 to 1; 0 where the window is too short to tell.
    """
    part = data[..., :MAX_SAMPLES]
    duration = part.shape[-1] / sfreq
    if duration < _LEAST_FOR_MAINS or sfreq <= 2 * max(MAINS):
        return MAINS[0], 0.0
    n_times = part.shape[-1]
    spectrum = np.fft.rfft(remove_trend(part) * np.hanning(n_times))
    power = (np.abs(spectrum) ** 2).reshape(-1, spectrum.shape[-1]).sum(axis=0)
    frequencies = np.fft.rfftfreq(n_times, 1 / sfreq)
    width = max(_LINE_WIDTH, 2 / duration)  # two bins: what the taper spreads
    shares = [
        power[np.abs(frequencies - hum) <= width].sum() / max(power.sum(), _TINY)
        for hum in MAINS
    ]
    return MAINS[int(np.argmax(shares))], float(max(shares))
