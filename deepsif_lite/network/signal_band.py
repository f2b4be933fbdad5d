"""Find the frequencies in which EEG stands out of its noise.

The scalp maps of brain activity are hidden by noise of all frequencies, and activity
has few. Maps are cleaner if the others are left out. Which ones those are differs: a
spike fills the band below 20 Hz, an early somatosensory response reaches far beyond.
So they are found in each recording, and not fixed.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

N_SMOOTH = 9  # neighboring frequencies whose power is averaged, an odd number
# A frequency holds signal where its power is so many times that of the noise.
STANDS_OUT = 2.0
# Of the power below: the highest frequencies are empty. Recordings of 200 to 256 Hz have
# 2e-4 at most, noise with a strong signal below 5e-3 and more.
_EMPTY = 1e-3
_EVERY = 4  # of the highest frequencies, enough to tell
_MEDIAN = 0.455  # of squares of normal numbers, as a share of their mean


def band_spectrum(eeg: Tensor, n_least: int) -> tuple[Tensor, Tensor]:
    """Transform EEG to the frequencies that hold signal.

    The upper half of all frequencies is taken for noise. Where the highest are empty
    (the recording had 200 to 256 Hz, or was filtered), noise is what lies below; EEG
    that has next to nothing there either keeps what it has.

    Parameters
    ----------
    eeg : tensor of shape (n_samples, n_times, n_channels)
    n_least : int
        The lowest frequencies, kept whatever their power.

    Returns
    -------
    spectrum : tensor of shape (n_samples, n_times // 2, n_channels)
        Cosine transform over time, lowest frequency first, 0 where there is no signal.
    cosines : tensor of shape (n_times, n_times // 2)
        Its basis, orthonormal; ``cosines @ spectrum`` is filtered EEG.
    """
    spectrum, cosines, floor = _transform(eeg)
    power = _smooth(spectrum.square().mean(-1, keepdim=True))
    lowest = torch.arange(spectrum.shape[1], device=eeg.device) < n_least
    kept = (power > STANDS_OUT * floor.mean(-1, keepdim=True)) | lowest[:, None]
    return spectrum * kept, cosines


def wiener_filter(courses: Tensor) -> Tensor:
    """Keep of each frequency of a time course the share that is signal.

    A scalp map gathers many channels, so its course holds signal at frequencies that
    do not stand out of the EEG; each course has a filter of its own.

    Parameters
    ----------
    courses : tensor of shape (n_samples, n_times, n_courses)

    Returns
    -------
    tensor of the same shape

    References
    ----------
    Wiener N (1949). Extrapolation, Interpolation, and Smoothing of Stationary Time
    Series. The upper half of all frequencies is taken for noise.
    """
    spectrum, cosines, floor = _transform(courses)
    tiny = torch.finfo(courses.dtype).tiny
    share = 1 - floor / _smooth(spectrum.square()).clamp_min(tiny)
    return cosines @ (spectrum * share.clamp_min(0))


def _transform(signals: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return spectrum, cosines, and the power that noise has at each frequency.

    The last is of shape (n_samples, 1, n_signals).
    """
    cosines, highest = _cosines(signals.shape[1], signals.device)
    spectrum = cosines.mT @ signals
    # The transform keeps sums of squares, so the upper half need not be computed.
    upper = signals.square().sum(1) - spectrum.square().sum(1)
    floor = upper.clamp_min(0) / (signals.shape[1] - spectrum.shape[1])
    below = _noise_below(spectrum)
    is_empty = (highest.mT @ signals).square().mean(1) < _EMPTY * below
    return spectrum, cosines, torch.where(is_empty, below, floor)[:, None]


def _noise_below(spectrum: Tensor) -> Tensor:
    """Return the power of noise at a quarter to three eighths of all frequencies.

    Of 500 Hz, that is at 62 to 94 Hz. The median, which a rhythm there does not move.

    Parameters
    ----------
    spectrum : tensor of shape (n_samples, n_times // 2, n_signals)

    Returns
    -------
    tensor of shape (n_samples, n_signals)
    """
    first, count = spectrum.shape[1] // 2, spectrum.shape[1] // 4 + 1
    power = spectrum[:, first : first + count].square()
    return power.sort(1).values[:, count // 2] / _MEDIAN


def _smooth(power: Tensor) -> Tensor:
    """Average neighboring frequencies, (n_samples, n_frequencies, n_signals)."""
    smooth = F.avg_pool1d(power.mT, N_SMOOTH, 1, N_SMOOTH // 2, count_include_pad=False)
    return smooth.mT


def _cosines(n_times: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return orthonormal cosines of a window (DCT-II): the lower half, some highest."""
    make = _make_cosines if torch.compiler.is_compiling() else _kept_cosines
    return make(n_times, device)


def _make_cosines(n_times: int, device: torch.device) -> tuple[Tensor, Tensor]:
    lower = torch.arange(n_times // 2, device=device)
    highest = torch.arange(3 * n_times // 4, n_times, _EVERY, device=device)
    return _cosines_of(lower, n_times), _cosines_of(highest, n_times)


def _cosines_of(frequency: Tensor, n_times: int) -> Tensor:
    frequency = frequency.double()
    time = torch.arange(n_times, device=frequency.device).double()
    angle = (time[:, None] + 0.5) * frequency * (math.pi / n_times)
    power = torch.where(frequency == 0, 1.0, 2.0).double() / n_times
    return (torch.cos(angle) * power.sqrt()).float()


_kept_cosines = lru_cache(maxsize=8)(_make_cosines)
