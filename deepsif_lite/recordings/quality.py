"""Tell channels that cannot be EEG from those that can: arrays in, findings out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ChannelError, SignalError
from ..signals import remove_trend
from .splines import leave_one_out

OUTLYING = 4.0
"""How many times what the neighbors predict, and the signal of a typical channel, the
part of a channel that they do not predict may reach. Single regions and patches
anywhere on the template, with noise or without, stay below 3.6 at 75 or 64 channels."""

SILENT = 0.002
"""Share of a typical channel's signal below which a channel records nothing."""

MAX_SAMPLES = 5000
"""Of a channel are enough for its scale; hours of raw data need not be copied."""

_TINY = np.finfo(float).tiny
_GROUP, _STEP = 0.2, 10.0  # share of the channels, factor between two groups of them
_MAX_PLAUSIBLE = 0.1  # V; a drifting amplifier stays below, microvolts read as V do not
_LEAST_NANO = 1e3  # V; 1 uV in nanovolts, or 1 mV in microvolts
_LEAST_PLAUSIBLE = 1e-15  # V; a millionth of a microvolt still can be imaged
_WRONG = 1.0  # of a typical signal; next to the reference, silence is as predicted
_LEAST_CHANNELS = 16  # with fewer, neighbors are too far to predict anything
_OF_A_LINE = 2  # samples that a line goes through
_LEAST_WINDOW = 0.3  # s; a response rises through shorter windows like a drift
_DRIFT_SHARE = 0.8  # of a channel's power, where the rest is one cycle or more
# What neighbors do not predict of the drifts' scalp map, as a share of it: from 1.2 on
# where electrodes drift each by itself, below where a slow response is part of it.
_FOREIGN = 1.0


class Findings(NamedTuple):
    """Channels that cannot be used, by index.

    Attributes
    ----------
    flat : list of int
        They do not vary, or hardly, where their neighbors do.
    outlying : dict of int to float
        Beyond their neighbors and all others; by how many times they exceed the
        typical channel.
    """

    flat: list[int]
    outlying: dict[int, float]


def check_values(data: NDArray, ch_names: list[str]) -> None:
    """Refuse values that cannot be EEG in volts.

    Parameters
    ----------
    data : array of shape (..., n_channels, n_times)
        EEG, V, bad channels left out.
    ch_names : list of str
        Names for the messages.

    Raises
    ------
    SignalError
        Values are not finite, or the unit is not V.
    ChannelError
        No channel varies.
    """
    rows = channel_rows(data)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        names = [name for name, good in zip(ch_names, finite, strict=True) if not good]
        msg = (
            f"Channels {names} hold NaN or infinite values; mark them bad "
            "(inst.info['bads']), or crop to finite samples."
        )
        raise SignalError(msg)
    spans = np.ptp(rows, axis=1)
    if not spans.any():
        msg = "All EEG channels are flat; check the window and the file."
        raise ChannelError(msg)
    typical = np.median(spans[spans > 0])
    if typical < _LEAST_PLAUSIBLE:
        msg = (
            f"Channels span {typical:.3g} V (median), far below the noise of any "
            "amplifier; check their unit (inst.apply_function(lambda x: x * factor))."
        )
        raise SignalError(msg)
    if typical > _MAX_PLAUSIBLE:
        unit, power = ("nano", 9) if typical > _LEAST_NANO else ("micro", 6)
        msg = (
            f"Channels span {typical:.3g} V (median), which no EEG does: the values "
            f"are probably {unit}volts, or an amplifier's counts, and the file does not "
            f"say so. Multiply them by 1e-{power} "
            f"(inst.apply_function(lambda x: x * 1e-{power}))."
        )
        raise SignalError(msg)


def check_scales(data: NDArray, ch_names: list[str]) -> None:
    """Refuse a recording whose channels fall into two groups of different size.

    Parameters
    ----------
    data : array of shape (..., n_channels, n_times)
        EEG as recorded, without its mean over time.
    ch_names : list of str
        Names for the messages.

    Raises
    ------
    SignalError
        Between two channels of neighboring size lies more than a factor ten, with a
        fifth of those that vary on either side: too many to be treated as bad.
    """
    scale = np.sqrt(_power(remove_trend(data)))
    order = np.argsort(scale)
    order = order[np.ptp(channel_rows(data), axis=1)[order] > 0]
    least = int(np.ceil(_GROUP * len(order)))
    steps = scale[order[1:]] / np.maximum(scale[order[:-1]], _TINY)
    inner = steps[least - 1 : len(steps) - least + 1]
    if len(order) < _LEAST_CHANNELS or inner.max() <= _STEP:
        return
    split = least + int(inner.argmax())
    small, large = order[:split], order[split:]
    factor = np.median(scale[large]) / max(np.median(scale[small]), _TINY)
    names = [ch_names[i] for i in sorted(large)]
    msg = (
        f"Channels {names} are about 1e{round(np.log10(factor))} times as large as the "
        f"other {split}: two units in one recording, or bad contacts. Scale them "
        "(inst.apply_function(lambda x: x / factor, picks=[...])) or mark them bad "
        "(inst.info['bads'])."
    )
    raise SignalError(msg)


def find_unusable(data: NDArray, directions: NDArray) -> Findings:
    """Find flat channels, and those whose scale fits neither neighbors nor others.

    Each channel is predicted from all others by spherical splines. The worst is left
    out and the others are looked at again, since it spoils what it helps to predict.
    Drifts are left to :func:`find_drifts`.

    Parameters
    ----------
    data : array of shape (..., n_channels, n_times)
        EEG of any reference, without its mean over time.
    directions : array of shape (n_channels, 3)
        Unit vectors from the center of the head.

    Returns
    -------
    Findings
    """
    varies = np.ptp(channel_rows(data), axis=1) > 0
    if data.shape[-1] <= _OF_A_LINE:  # without their trend nothing is left
        return Findings(list(np.flatnonzero(~varies)), {})
    rows = channel_rows(remove_trend(data))
    rows = rows[:, :: max(1, rows.shape[1] // MAX_SAMPLES)]
    scale = _rms(rows)
    kept = np.flatnonzero(varies)
    outlying: dict[int, float] = {}
    while len(kept) >= _LEAST_CHANNELS:
        x = rows[kept] - _median(rows[kept])
        rest = leave_one_out(x, directions[kept])
        predicted, typical = _rms(x - rest), np.median(_rms(x))
        excess = _rms(rest) / np.maximum(predicted, typical)
        worst = int(excess.argmax())
        if excess[worst] <= OUTLYING:
            is_silent = scale[kept] < SILENT * np.median(scale[kept])
            silent = kept[is_silent & (_rms(rest) > _WRONG * typical)]
            return Findings([*np.flatnonzero(~varies), *silent], outlying)
        outlying[int(kept[worst])] = float(_rms(x)[worst] / typical)
        kept = np.delete(kept, worst)
    return Findings(list(np.flatnonzero(~varies)), outlying)


def find_drifts(data: NDArray, duration: float) -> tuple[NDArray, float, float]:
    """Find channels in which a drift exceeds the signal.

    A line is fitted to each channel. It is a drift where it holds four fifths of the
    channel's power (of one cycle of a sine, a line holds three fifths) and rises by
    more than the span of the typical channel's rest.

    Parameters
    ----------
    data : array of shape (..., n_channels, n_times)
        EEG, V, average reference.
    duration : float
        Of the window, s.

    Returns
    -------
    drifting : array of int
        Channels.
    drift : float
        The largest of all channels, V from the first sample to the last.
    signal : float
        Median over channels of the span of what remains without the drift, V.
    """
    if duration < _LEAST_WINDOW:
        return np.array([], dtype=int), 0.0, 0.0
    rest = remove_trend(data)
    line = data - rest
    line -= line.mean(axis=-1, keepdims=True)
    share = _power(line) / np.maximum(_power(line) + _power(rest), _TINY)
    drift = np.sqrt(_power(line[..., -1:] - line[..., :1]))
    signal = float(np.median(np.ptp(rest, axis=-1)))
    drifting = (share > _DRIFT_SHARE) & (drift > signal)
    return np.flatnonzero(drifting), float(drift.max()), signal


def are_of_electrodes(drifts: NDArray, directions: NDArray) -> bool:
    """Tell drifts of electrodes from slow responses, by their scalp map.

    Electrodes drift each by itself; what the brain does, neighbors share.

    Parameters
    ----------
    drifts : array of shape (..., n_channels)
        From the first sample to the last, average reference.
    directions : array of shape (n_channels, 3)
        Unit vectors from the center of the head.

    Returns
    -------
    bool
        Whether neighbors predict nothing; False where channels are too few to predict
        each other.
    """
    if len(directions) < _LEAST_CHANNELS:
        return False
    maps = drifts.reshape(-1, len(directions)).T
    rest = leave_one_out(maps, directions)
    return bool((rest**2).sum() > _FOREIGN * (maps**2).sum())


def channel_rows(data: NDArray) -> NDArray:
    """Bring data (..., n_channels, n_times) to one row a channel."""
    return np.moveaxis(data, -2, 0).reshape(data.shape[-2], -1)


def _power(data: NDArray) -> NDArray:
    """Mean square of each channel, over times and epochs."""
    return (channel_rows(data) ** 2).mean(axis=1)


def _median(rows: NDArray) -> NDArray:
    """Return the median over channels, (n_times,), which NumPy's own takes longer for."""
    rows = np.sort(rows, axis=0)
    return (rows[(len(rows) - 1) // 2] + rows[len(rows) // 2]) / 2


def _rms(rows: NDArray) -> NDArray:
    return np.sqrt((rows**2).mean(axis=-1))
