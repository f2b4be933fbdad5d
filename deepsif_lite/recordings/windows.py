"""Windows and baselines: inside the recording, or refused."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import WindowError

if TYPE_CHECKING:
    import mne

    Instance = TypeVar("Instance", mne.Evoked, mne.BaseEpochs, mne.io.BaseRaw)

_ROUNDING = 1e-9  # s; times of a recording are rounded
_TOO_FAR = 10.0  # times the data's largest time: no slip of the hand, another unit


def crop_window(
    inst: Instance, tmin: float | None = None, tmax: float | None = None
) -> Instance:
    """Cut a window out of a recording.

    Parameters
    ----------
    inst : mne.Evoked | mne.Epochs | mne.io.Raw
        It is left as it is.
    tmin, tmax : float | None
        First and last time, s. By default those of the recording.

    Returns
    -------
    same type as ``inst``

    Raises
    ------
    WindowError
        The window lies outside the recording, or holds no sample.
    """
    low, high = check_window(inst.times, tmin, tmax)
    return inst.copy().crop(low, high, verbose="error")


def check_window(
    times: NDArray,
    tmin: float | None,
    tmax: float | None,
    name: str = "",
    *,
    partly: bool = False,
) -> tuple[float, float]:
    """Refuse a window that is empty or leaves the data.

    Parameters
    ----------
    times : array of shape (n_times,)
        Of the data, s.
    tmin, tmax : float | None
        The window, s; None is the start or end of the data. One sample beyond is
        allowed: 350 samples of 500 Hz from -0.2 s end at 0.498 s, or at 0.5.
    name : str
        Of the argument that holds both; by default they are two.
    partly : bool
        Take the part that lies within the data, as around a peak near their start.

    Returns
    -------
    low, high : float
        The window within the data.

    Raises
    ------
    WindowError
        It holds no sample, or reaches beyond the data.
    """
    if not len(times):
        msg = "The recording holds no samples; check how it was cut."
        raise WindowError(msg)
    first, last = float(times[0]), float(times[-1])
    for end in (tmin, tmax):
        _check_time(end, name)
    low, high = (first if tmin is None else tmin), (last if tmax is None else tmax)
    slack = _ROUNDING + (times[1] - first if len(times) > 1 else 0.0)
    text = f"{name}=({tmin}, {tmax})" if name else f"tmin={tmin}, tmax={tmax}"
    in_ms = max(abs(low), abs(high)) > _TOO_FAR * max(abs(first), abs(last), 1e-3)
    within = first - slack <= low <= high <= last + slack
    if partly:
        within = low <= high and first - slack <= high and low <= last + slack
    if in_ms or not within:
        cure = "; times are in seconds, these look like ms" if in_ms else ""
        cure = cure or ("; its end comes before its start" if low > high else "")
        msg = (
            f"{text} is no window within the data's {first:.3f} to {last:.3f} s{cure}."
        )
        raise WindowError(msg)
    low, high = max(low, first), min(high, last)
    if not inside(times, low, high).any():
        msg = f"{text} s lies between two samples; widen the window."
        raise WindowError(msg)
    return low, high


def check_baseline(
    times: NDArray, baseline: Sequence[float | None]
) -> tuple[float, float]:
    """Refuse what is no pair of times within the data, see :func:`check_window`."""
    if not isinstance(baseline, (tuple, list, np.ndarray)) or np.size(baseline) != 2:
        msg = f"baseline={baseline!r} must be two times (s): (first, last)."
        raise WindowError(msg)
    low, high = baseline
    return check_window(times, low, high, name="baseline")


def _check_time(value: object, name: str) -> None:
    """Refuse what is no number of seconds."""
    if value is None or isinstance(value, numbers.Real):
        return
    msg = f"{name or 'tmin, tmax'}: {value!r} is no time; give numbers, in seconds."
    raise WindowError(msg)


def inside(times: NDArray, low: float, high: float) -> NDArray[np.bool_]:
    """Return which times lie in a window, ends included."""
    return (times >= low - _ROUNDING) & (times <= high + _ROUNDING)


def remove_mean(inst: Instance, baseline: tuple | None = None) -> Instance:
    """Take each channel's mean over a baseline away, in place.

    Parameters
    ----------
    inst : mne.Evoked | mne.Epochs | mne.io.Raw
        Loaded. Of epochs, each has a mean of its own.
    baseline : tuple of (float | None, float | None) | None
        First and last time, s. By default all samples.

    Returns
    -------
    inst

    Raises
    ------
    WindowError
        The baseline does not lie within the recording.
    """
    window = check_baseline(inst.times, (None, None) if baseline is None else baseline)
    chosen = inside(inst.times, *window)

    def subtract(data: NDArray) -> NDArray:
        return data - data[..., chosen].mean(axis=-1, keepdims=True)

    if hasattr(inst, "data"):  # an evoked response, whose values need no detour
        inst.data = subtract(inst.data)
        return inst
    return inst.apply_function(subtract, "all", channel_wise=False, verbose="error")
