"""Bring a recording to the channels, reference and rate of a head model.

Nothing is guessed silently: what can be repaired is repaired with a warning, the
rest is refused with a message that names the channels and the cure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import ChannelError, SignalError, WindowError, check_option
from ..signals import average_reference, remove_trend
from .instances import check_kind, good_eeg, real_values, values_of, warn
from .matching import Cap, check_cover, match_channels
from .names import NAMED
from .notices import (
    forget_projectors,
    notice_kind,
    notice_mains,
    notice_other_signals,
    notice_processing,
)
from .positions import electrode_positions, sphere
from .quality import (
    are_of_electrodes,
    check_scales,
    check_values,
    find_drifts,
    find_unusable,
)
from .windows import remove_mean

if TYPE_CHECKING:
    import mne
    from numpy.typing import NDArray

    from .instances import Instance

_LEAST_RATE = 20.0  # Hz; an epileptic spike takes 50 ms


def prepare(
    inst: Instance,
    info: mne.Info,
    sfreq: float | None = None,
    *,
    match: str = "name",
    baseline: tuple[float | None, float | None] | None = None,
    interpolate: bool = True,
) -> Instance:
    """Give a recording the channels of a head model.

    Channels are matched, freed of their mean over time, ordered as in ``info``,
    referenced to their average and resampled. The recording given is left as it is.

    Parameters
    ----------
    inst : mne.Evoked | mne.Epochs | mne.io.Raw
        EEG in V. Other channels are dropped.
    info : mne.Info
        Channels wanted, with positions, as in ``HeadModel.info``.
    sfreq : float | None
        Sampling rate wanted, Hz. By default it is kept.
    match : {"name", "position"}
        How channels are found, see the notes.
    baseline : tuple of (float | None, float | None) | None
        Times, s, whose mean is taken from each channel (of epochs, from each one).
        By default all samples given, as the networks do.
    interpolate : bool
        Interpolate missing and bad channels, or leave them out.

    Returns
    -------
    same type as ``inst``
        EEG of shape (..., n_channels, n_times), V, average reference. Without
        interpolation it has those channels of ``info`` that are recorded and good.

    Raises
    ------
    DeepSIFError
        What the notes call refused.

    Warns
    -----
    UserWarning
        What the notes call repaired, or noticed.

    Notes
    -----
    What is accepted, repaired with a warning, noticed with a warning, refused:

    *Kinds of object.* One Evoked, Epochs or Raw of real numbers, one for each channel
    and time; anything else is refused, complex (analytic) signals included. Responses
    that are no averages are noticed, and so are magnitudes (of no sign) and channels
    that were each brought to one size. Of files, epochs of several conditions are
    noticed where they are averaged as one.

    *Names.* Case does not count, nor do prefixes and endings that most names share
    (``EEG Fp1-REF``, ``Fp1-A1A2``, ``Fp1:CPz``), nor letters of other alphabets that
    look the same; T3, T4, T5, T6 are T7, T8, P7, P8; BioSemi's A1 to B32 are known.
    Caps of 128 and more BioSemi electrodes are matched by position, if need be by
    MNE's table of them. Two names for one channel are refused, and so are bipolar
    montages. Names that end in the mastoid of either side (``Fp1-A1``, ``Fp2-A2``)
    match on one side alone; once cut off, nothing tells that reference from a common
    one. Channels of type EEG whose names are of eyes, heart or muscles, and
    differences of two electrodes that MNE made, are left out wherever they lie:
    repaired.

    *Positions.* With ``match="position"``, names count first where their electrodes
    lie within 25 degrees of each other. Then each cap is laid on the other: by
    fiducials, by shared names, or by the spheres that fit them (the log says how),
    but not so that half of the names lie 25 degrees or more from their places: axes
    that are turned or mirrored; and not by fiducials that put the cap a centimeter to
    one side: repaired. Single electrodes so far from their names, and those that share
    a place, are noticed.
    Electrodes at the same place keep their values; of networks of one montage, other
    channels are interpolated by spherical splines, and a cap that leaves a quarter of
    theirs uncovered is refused. Electrodes without position are left out, and those
    off the scalp (15 mm on average) are refused.

    *Missing and bad channels* are left out, of the head model as well. Networks of one
    montage need all of theirs: they are interpolated by spherical splines while they
    are at most a quarter: repaired. Channels that the head model has not: noticed,
    ignored, and not looked at further.

    *Units and scales.* V at the size of EEG; a common factor does not matter, but
    microvolts and counts read as V are refused, and so is next to nothing. A flat
    channel counts as bad, and so does one beyond four times the others and what its
    neighbors predict: repaired, named with its factor. Two groups of channels a factor
    ten apart (two units in one file), NaN and infinite values are refused. Channels
    that are cut off at the end of a range are noticed, and so is mains hum (50 or
    60 Hz) that holds more than half of the power.

    *Offsets and drifts.* The mean over the window or the baseline is taken away. Where
    lines hold most of a channel and exceed the signal, they are taken from all
    channels if neighbors do not share them (electrodes drift each by itself):
    repaired. If neighbors do, they may be a slow response: kept, noticed.

    *References.* Any common reference, or a projector. Current source densities are
    no EEG and refused. Other projectors of EEG are noticed, applied or not; none is
    applied here.

    *Windows and baselines* outside the recording are refused; of solvers, windows
    longer than ten seconds are noticed.

    *Annotations* of raw recordings are looked at by
    :func:`~deepsif_lite.recordings.read_evoked` and :func:`resting_clips`.

    References
    ----------
    Perrin et al. (1989), Electroencephalography and Clinical Neurophysiology 72,
    184-187 (spherical splines, as MNE-Python does them).
    """
    check_option("match", match, ("name", "position"))
    check_kind(inst, "Evoked", "Epochs", "Raw")
    if sfreq is not None:
        _check_rate(inst.info["sfreq"])
    notice_kind(inst)
    notice_other_signals(inst.info)
    eeg = _pick_eeg(inst)
    eeg, cap = match_channels(eeg, info, match, all_needed=interpolate)
    check_values(values_of(eeg), eeg.ch_names)
    notice_processing(eeg)
    remove_mean(eeg, baseline)
    eeg, cap = _drop_unusable(eeg, cap, info)
    if interpolate:
        check_cover(cap, info)
        eeg = _fill(eeg, cap, info)
    else:
        eeg = _order(eeg, cap, info)
    eeg.set_eeg_reference("average", projection=False, verbose="error")
    notice_mains(eeg)
    _remove_drifts(eeg, info, baseline)
    if sfreq is not None and not np.isclose(eeg.info["sfreq"], sfreq):
        eeg.resample(sfreq, verbose="error")
    return eeg


def resting_clips(
    raw: mne.io.BaseRaw, info: mne.Info, duration: float, sfreq: float
) -> NDArray:
    """Cut a recording at rest into clips: noise for synthetic EEG.

    Parameters
    ----------
    raw : mne.io.Raw
        EEG in V. Pieces annotated as bad are left out.
    info : mne.Info
        Channels wanted, as in ``HeadModel.info``.
    duration : float
        Length of a clip, s.
    sfreq : float
        Sampling rate wanted, Hz.

    Returns
    -------
    array of shape (n_clips, n_times, n_channels)
        EEG, V, average reference; for ``SyntheticEEG`` and ``train``.

    Raises
    ------
    DeepSIFError
        As :func:`prepare`, or the recording holds no whole good clip.
    """
    import mne

    eeg = prepare(raw, info, sfreq)
    epochs = mne.make_fixed_length_epochs(eeg, duration, preload=True, verbose="error")
    if not len(epochs):
        msg = f"duration={duration} s: the recording has no clip as long without bads."
        raise WindowError(msg)
    return epochs.get_data().swapaxes(1, 2)


def _check_rate(rate: float) -> None:
    """Refuse what would be resampled to a hundred times as many samples."""
    if rate < _LEAST_RATE:
        msg = (
            f"info['sfreq'] is {rate:g} Hz, too few for a brain response; say how many "
            "samples a second there are (mne.create_info(ch_names, sfreq, 'eeg'))."
        )
        raise SignalError(msg)


def _pick_eeg(inst: Instance) -> Instance:
    """Copy the good EEG channels into memory, without projectors."""
    good = good_eeg(inst.info)
    eeg = inst.copy()
    if hasattr(eeg, "load_data"):
        eeg.load_data()
    values = real_values(eeg)
    if hasattr(eeg, "data"):  # epochs and raw recordings hold these very numbers
        eeg.data = values
    eeg = _keep(eeg, [inst.ch_names[i] for i in good])
    return forget_projectors(eeg)


# ---------------------------------------------------------------- judging and filling


def _drop_unusable(eeg: Instance, cap: Cap, info: mne.Info) -> tuple[Instance, Cap]:
    """Treat channels as bad whose signal cannot be that of their place."""
    directions = _directions(cap.positions, info)
    data = values_of(eeg)
    check_scales(data, eeg.ch_names)
    flat, outlying = find_unusable(data, directions)
    if flat:
        warn(
            f"Channels {[eeg.ch_names[i] for i in flat]} are flat and count as bad. If "
            "one of them is the recording reference, apply "
            "inst.set_eeg_reference('average') first."
        )
    if outlying:
        named = {eeg.ch_names[i]: f"{factor:.3g}" for i, factor in outlying.items()}
        warn(
            "Channels exceed the others by these factors, and what their neighbors "
            f"predict, and count as bad: {named}. They are noisy, or in another unit: "
            "scale them (inst.apply_function(lambda x: x / factor, picks=[...])) or "
            "mark them bad (inst.info['bads'])."
        )
    dropped = {*flat, *outlying}
    kept = [i for i in range(len(cap.targets)) if i not in dropped]
    eeg = _keep(eeg, [eeg.ch_names[i] for i in kept])
    targets = [cap.targets[i] for i in kept]
    return eeg, cap._replace(targets=targets, positions=cap.positions[kept])


def _order(eeg: Instance, cap: Cap, info: mne.Info) -> Instance:
    """Name and order the channels that the head model has, and drop the others."""
    own = {target: name for target, name in zip(cap.targets, eeg.ch_names, strict=True)}
    there = [name for name in info.ch_names if name in own]
    if not there:
        msg = (
            f"No channel of the recording ({eeg.ch_names[:NAMED]} ...) is an electrode of "
            "the head model; rename them (inst.rename_channels), or leave head out."
        )
        raise ChannelError(msg)
    _keep(eeg, [own[name] for name in there])
    if eeg.ch_names != there:
        eeg.rename_channels({own[name]: name for name in there}, verbose="error")
    return _take_places(eeg, info)


def _keep(eeg: Instance, ch_names: list[str]) -> Instance:
    """Keep some channels, in this order, in place; MNE takes time to change nothing."""
    if eeg.ch_names == ch_names:
        return eeg
    return eeg.pick(ch_names, verbose="error").reorder_channels(ch_names)


def _take_places(eeg: Instance, info: mne.Info) -> Instance:
    """Put channels where the head model has them, as ``set_montage`` does slowly."""
    places = dict(zip(info.ch_names, info["chs"], strict=True))
    for channel in eeg.info["chs"]:
        place = places[channel["ch_name"]]
        channel.update(loc=place["loc"].copy(), coord_frame=place["coord_frame"])
    with eeg.info._unlock():
        eeg.info["dig"] = info["dig"]
    return eeg


def _fill(eeg: Instance, cap: Cap, info: mne.Info) -> Instance:
    """Name, complete and order the channels as in the head model."""
    import mne

    here = dict(zip(info.ch_names, electrode_positions(info), strict=True))
    # Electrodes that the head model has not help to interpolate, under other names.
    new = [target or f"recorded {i}" for i, target in enumerate(cap.targets)]
    eeg.rename_channels(dict(zip(eeg.ch_names, new, strict=True)), verbose="error")
    missing = [name for name in info.ch_names if name not in cap.targets]
    if missing:
        with mne.use_log_level("error"):  # it warns that positions are to be set
            eeg = mne.add_reference_channels(eeg, missing, copy=False)
        for channel in eeg.info["chs"]:  # before MNE 1.11 the new ones share one place
            channel["loc"] = channel["loc"].copy()
        others = dict(zip(new, cap.positions, strict=True)) | here
        eeg.set_montage(
            mne.channels.make_dig_montage(others, coord_frame="head"), verbose="error"
        )
        eeg.info["bads"] = missing
        center = sphere(np.array(list(here.values())))[1]
        eeg.interpolate_bads(origin=center, verbose="error")
    eeg.pick(info.ch_names, verbose="error").reorder_channels(info.ch_names)
    return eeg.set_montage(info.get_montage(), verbose="error")


def _remove_drifts(
    eeg: Instance, info: mne.Info, baseline: tuple[float | None, float | None] | None
) -> None:
    """Take drifts of electrodes away, in place, and notice what may be a response."""
    data = average_reference(values_of(eeg), -2)
    drifting, largest, signal = find_drifts(data, eeg.times[-1] - eeg.times[0])
    if not len(drifting):
        return
    found = (
        f"{len(drifting)} of {len(eeg.ch_names)} channels (the first: "
        f"{eeg.ch_names[drifting[0]]}) drift by up to {1e6 * largest:.3g} uV through "
        f"the window, above the signal of {1e6 * signal:.3g} uV"
    )
    lines = data - remove_trend(data)
    directions = _directions(electrode_positions(info), info)
    if are_of_electrodes(lines[..., -1] - lines[..., 0], directions):
        eeg.apply_function(remove_trend, "all", channel_wise=False, verbose="error")
        if baseline is not None:
            remove_mean(eeg, baseline)
        warn(
            f"{found}. Neighbors do not share the drifts, as they would a response, so "
            "the line that fits each channel best was taken away. Better filter the "
            "recording before it is cut (inst.filter(0.5, None))."
        )
    else:
        warn(
            f"{found}. Neighbors share the drifts, so they may be a slow response, and "
            "are kept. If they are none, filter the recording (inst.filter(0.5, None)) "
            "or remove the trend (evoked.detrend(1))."
        )


def _directions(positions: NDArray, info: mne.Info) -> NDArray:
    """Return unit vectors from the center of the head to electrodes."""
    directions = positions - sphere(electrode_positions(info))[1]
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)
