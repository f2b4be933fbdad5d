"""What kinds of recordings there are: refuse what is none, and say what to give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ChannelError, SignalError

if TYPE_CHECKING:
    import mne

_NAMED = 3  # members of a list that an error names


def check_kind(recording: object, *wanted: str) -> None:
    """Refuse what is no recording of a kind, and say what to do with it.

    Parameters
    ----------
    recording : object
    *wanted : {"Evoked", "Epochs", "Raw"}
        Any of them will do.

    Raises
    ------
    SignalError
        It is of another type.
    """
    import mne

    kinds = {"Evoked": mne.Evoked, "Epochs": mne.BaseEpochs, "Raw": mne.io.BaseRaw}
    if isinstance(recording, tuple(kinds[name] for name in wanted)):
        return
    given = type(recording).__name__
    if isinstance(recording, (list, tuple)):
        members = ", ".join(type(member).__name__ for member in recording[:_NAMED])
        given += f" ({members}{', ...' if len(recording) > _NAMED else ''})"
    cures = {
        mne.Evoked: "image it by deepsif_lite.image or Imager.apply",
        mne.BaseEpochs: "image each by deepsif_lite.image_epochs or "
        "Imager.apply_epochs, or their average: epochs.average()",
        mne.io.BaseRaw: "image it window by window by deepsif_lite.image_raw or "
        "Imager.apply_raw, or average windows around events: "
        "mne.Epochs(raw, events, tmin=-0.5, tmax=0.5).average()",
        np.ndarray: "wrap it, in V: mne.EvokedArray(data, info)",
        (list, tuple): "give one of them at a time",
        object: "read a file by deepsif_lite.recordings.read_evoked(path)",
    }
    cure = next(cure for kind, cure in cures.items() if isinstance(recording, kind))
    name = wanted[0].lower() if len(wanted) == 1 else "inst"
    msg = f"{name} is of type {given}, not mne.{' or '.join(wanted)}; {cure}."
    raise SignalError(msg)


def real_values(recording: mne.Evoked | mne.BaseEpochs | mne.io.BaseRaw) -> NDArray:
    """Return the values of a recording in double precision; masked ones are NaN.

    Raises
    ------
    SignalError
        They are no real numbers, or not one for each channel and time.
    """
    data = recording.data if hasattr(recording, "data") else recording.get_data()
    shape = len(recording.ch_names), len(recording.times)
    if data.shape[-2:] != shape or data.ndim != 2 + hasattr(recording, "events"):
        msg = (
            f"The values have shape {data.shape}, but there are {shape[0]} channels and "
            f"{shape[1]} times; make the recording anew (mne.EvokedArray(data, info))."
        )
        raise SignalError(msg)
    if data.dtype.kind not in "fiu":
        msg = (
            f"The values are of type {data.dtype}, not real numbers in V; give the EEG "
            "itself (of an analytic signal the real part, not its envelope)."
        )
        raise SignalError(msg)
    values = data.astype(float)
    return np.ma.filled(values, np.nan) if np.ma.isMaskedArray(values) else values


def values_of(recording: mne.Evoked | mne.BaseEpochs | mne.io.BaseRaw) -> NDArray:
    """Return the values of a loaded recording, (..., n_channels, n_times), to look at.

    Of an evoked response these are its own, which MNE takes time to copy.
    """
    return recording.data if hasattr(recording, "data") else recording.get_data()


def good_eeg(info: mne.Info) -> NDArray:
    """Return the indices of the EEG channels that are not marked bad.

    Raises
    ------
    ChannelError
        There are none, or names repeat.
    """
    import mne

    repeated = sorted({n for n in info.ch_names if info.ch_names.count(n) > 1})
    if repeated:
        msg = f"Channels {repeated} are there more than once; drop or rename them."
        raise ChannelError(msg)
    good = mne.pick_types(info, meg=False, eeg=True, exclude="bads")
    if not len(good):
        msg = (
            "The recording has no good EEG channel; check inst.get_channel_types(), "
            "inst.info['bads'] and inst.set_channel_types()."
        )
        raise ChannelError(msg)
    return good
