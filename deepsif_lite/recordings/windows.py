"""Windows and baselines: inside the recording, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..errors import WindowError

if TYPE_CHECKING:
    import mne

    Instance = TypeVar("Instance", mne.Evoked, mne.BaseEpochs, mne.io.BaseRaw)

_FAR_OUTSIDE = 10.0  # times the end of a recording; milliseconds are at least there


def crop_window(
    inst: Instance, tmin: float | None = None, tmax: float | None = None
) -> Instance:
    """Cut a window out of a recording.

    Parameters
    ----------
    inst : mne.Evoked | mne.Epochs | mne.io.Raw
        It is left as it is.
    tmin, tmax : float, optional
        First and last time, s. By default those of the recording.

    Returns
    -------
    same type as ``inst``

    Raises
    ------
    WindowError
        The window lies outside the recording, or holds fewer than two samples.
    """
    first, last = check_window("tmin, tmax", (tmin, tmax), inst.times)
    return inst.copy().crop(first, last, verbose="error")


def check_window(
    name: str, window: tuple[float | None, float | None], times: np.ndarray
) -> tuple[float, float]:
    """Refuse a window that does not lie within the recording.

    Parameters
    ----------
    name : str
        Of the argument.
    window : tuple of (float or None, float or None)
        First and last time, s; None is the end of the recording.
    times : array of shape (n_times,)
        Of the recording, s.

    Returns
    -------
    first, last : float
        One sample beyond an end is taken for the end.

    Raises
    ------
    WindowError
        The window lies outside the recording, or holds fewer than two samples.
    """
    ends = float(times[0]), float(times[-1])
    first, last = (
        e if w is None else float(w) for w, e in zip(window, ends, strict=True)
    )
    step = (ends[1] - ends[0]) / max(len(times) - 1, 1)
    span = f"the recording, {ends[0]:g} to {ends[1]:g} s"
    slack = step * (1 + 1e-6)
    # NaN fails every comparison, so ask for what is right.
    if not (ends[0] - slack <= first and last <= ends[1] + slack):
        msg = f"{name} = {first:g}, {last:g} s lies outside {span}"
        raise WindowError(f"{msg}{_hint(first, last, ends)}.")
    first, last = max(first, ends[0]), min(last, ends[1])
    if not last - first > 0.5 * step:
        msg = f"{name} = {first:g}, {last:g} s holds fewer than two samples of {span}."
        raise WindowError(msg)
    return first, last


def _hint(first: float, last: float, ends: tuple[float, float]) -> str:
    """Hint at a window that was meant in milliseconds."""
    if max(abs(first), abs(last)) > _FAR_OUTSIDE * max(map(abs, ends)):
        return "; times are in seconds, these look like milliseconds"
    return ""


def remove_mean(inst: Instance, baseline: tuple | None = None) -> Instance:
    """Take each channel's mean over a baseline away, in place.

    Parameters
    ----------
    inst : mne.Evoked | mne.Epochs | mne.io.Raw
        Loaded. Of epochs, each has a mean of its own.
    baseline : tuple of (float or None, float or None), optional
        First and last time, s. By default all samples.

    Returns
    -------
    inst

    Raises
    ------
    WindowError
        The baseline does not lie within the recording.
    """
    first, last = check_window("baseline", baseline or (None, None), inst.times)
    half = 0.5 / inst.info["sfreq"]
    inside = (inst.times > first - half) & (inst.times < last + half)

    def subtract(data: np.ndarray) -> np.ndarray:
        return data - data[..., inside].mean(axis=-1, keepdims=True)

    return inst.apply_function(subtract, "all", channel_wise=False, verbose="error")
