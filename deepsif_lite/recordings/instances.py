"""What kinds of recordings there are: refuse what is none, and say what to give."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ChannelError, SignalError
from .names import other_signals

if TYPE_CHECKING:
    from typing import TypeAlias

    import mne

    Instance: TypeAlias = mne.Evoked | mne.BaseEpochs | mne.io.BaseRaw

_NAMED = 3  # members of a list that an error names


def warn(text: str) -> None:
    """Warn whoever called prepare."""
    warnings.warn(text, stacklevel=4)


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
    cures: dict[type | tuple[type, ...], str] = {
        mne.Evoked: "image it by deepsif_lite.image or Imager.apply",
        mne.BaseEpochs: "image each by deepsif_lite.image_epochs or "
        f"Imager.apply_epochs, or their average: {_averaging(recording)}",
        mne.io.BaseRaw: "image it window by window by deepsif_lite.image_raw or "
        "Imager.apply_raw, or average windows around events: "
        "mne.Epochs(raw, events, tmin=-0.5, tmax=0.5).average()",
        (list, tuple, dict, set, Iterator): "give one of them at a time",
        (str, bytes, PurePath): "read a file by "
        "deepsif_lite.recordings.read_evoked(path)",
        object: "wrap its values, in V: mne.EvokedArray(data, info)"
        if hasattr(recording, "shape")  # arrays, tables, tensors
        else "give the potentials as they were recorded",
    }
    cure = next(cure for kind, cure in cures.items() if isinstance(recording, kind))
    name = wanted[0].lower() if len(wanted) == 1 else "inst"
    msg = f"{name} is of type {given}, not mne.{' or '.join(wanted)}; {cure}."
    raise SignalError(msg)


def _averaging(recording: object) -> str:
    """Return how to average epochs: those of one condition where there are several."""
    conditions = conditions_of(recording) if hasattr(recording, "event_id") else {}
    if len(conditions) < 2:
        return "epochs.average()"
    first = next(iter(conditions))
    return (
        f"epochs[{first!r}].average() (of one condition; they hold {list(conditions)})"
    )


def conditions_of(epochs: mne.BaseEpochs) -> dict[str, int]:
    """Return how many epochs there are of each condition that has any."""
    numbers = Counter(epochs.events[:, 2].tolist())
    return {name: numbers[k] for name, k in epochs.event_id.items() if numbers[k]}


def real_values(recording: Instance) -> NDArray:
    """Return the values of a recording in double precision; masked ones are NaN.

    Raises
    ------
    SignalError
        They are no array of real numbers, or not one for each channel and time.
    """
    data = recording.data if hasattr(recording, "data") else recording.get_data()
    if not isinstance(data, np.ndarray):
        msg = (
            f"The values are of type {type(data).__name__}, not an array; make the "
            "recording anew (mne.EvokedArray(np.asarray(data), info))."
        )
        raise SignalError(msg)
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


def values_of(recording: Instance) -> NDArray:
    """Return the values of a loaded recording, (..., n_channels, n_times), to look at.

    Of an evoked response these are its own, which MNE takes time to copy.
    """
    return recording.data if hasattr(recording, "data") else recording.get_data()


def good_eeg(info: mne.Info) -> NDArray:
    """Return the indices of the EEG channels of single electrodes, bad ones left out.

    Raises
    ------
    ChannelError
        There are none, or names repeat.
    """
    import mne

    repeated = sorted(n for n, count in Counter(info.ch_names).items() if count > 1)
    if repeated:
        msg = f"Channels {repeated} are there more than once; drop or rename them."
        raise ChannelError(msg)
    good = mne.pick_types(info, meg=False, eeg=True, exclude="bads")
    others = no_electrodes(info, good)
    good = np.array([i for i in good if info.ch_names[i] not in others], dtype=int)
    if not len(good) and "mag" in set(info.get_channel_types()):
        msg = (
            "The recording is MEG alone, and every helmet needs a leadfield of its own: "
            "make a HeadModel of it (modality='meg'; mne.make_forward_solution gives the "
            "fields of its vertices), then give the values, (n_times, n_channels), T, to "
            "a solver with it (deepsif_lite.solvers.get_solver), or to the predict of a "
            "network: load_model('lite', head=head, transfer=True), or one trained for "
            "the head model (load_model(folder))."
        )
        raise ChannelError(msg)
    if not len(good):
        there = Counter(info.get_channel_types())
        types = ", ".join(f"{number} of type {kind}" for kind, number in there.items())
        bads = f", {len(info['bads'])} marked bad" if info["bads"] else ""
        msg = (
            f"The recording has no good EEG channel of one electrode ({types}{bads}); "
            "check inst.get_channel_types(), inst.info['bads'] and "
            "inst.set_channel_types()."
        )
        raise ChannelError(msg)
    return good


def no_electrodes(info: mne.Info, picks: Sequence[int] | NDArray) -> list[str]:
    """Return EEG channels that are none of single electrodes on the scalp.

    Parameters
    ----------
    info : mne.Info
    picks : sequence of int
        Its EEG channels.

    Returns
    -------
    list of str
        Those that MNE made as differences of two electrodes, which have the place of
        one of them, and those whose names are of eyes, heart or muscles.
    """
    from mne.io.constants import FIFF

    bipolar = [
        info.ch_names[i]
        for i in picks
        if info["chs"][i]["coil_type"] == FIFF.FIFFV_COIL_EEG_BIPOLAR
    ]
    return bipolar + other_signals([info.ch_names[i] for i in picks])
