"""Bring a recording to the channels, reference and rate of a head model.

Nothing is guessed silently: what can be repaired is repaired with a warning, the
rest is refused with a message that names the channels and the cure.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import mne

    Instance: TypeAlias = mne.Evoked | mne.BaseEpochs | mne.io.BaseRaw

MAX_MISSING = 0.25
"""Largest share of channels that is interpolated."""

MAX_ANGLE = 25.0
"""Degrees from a channel of the head model to the nearest recorded one, beyond which
its signal is extrapolated (neighbors in the 10-10 system lie about 18 apart)."""

_SPLINE_REG = 1e-5  # as MNE for bad channels; without it the rim of the cap runs wild
_MAX_PLAUSIBLE = 0.1  # V; a drifting amplifier stays below, microvolts read as V do not
_OLD_NAMES = {"t3": "t7", "t4": "t8", "t5": "p7", "t6": "p8"}
_DECORATION = re.compile(r"^eeg[ _-]+|[ _-]+(ref|le|ar|avg|av)$|\.+$")


def prepare(
    inst: Instance,
    info: mne.Info,
    sfreq: float | None = None,
    *,
    match: str = "name",
) -> Instance:
    """Give a recording the channels of a head model.

    Channels are matched, ordered as in ``info``, referenced to their average and
    resampled. The recording given is left as it is.

    Parameters
    ----------
    inst : mne.Evoked | mne.Epochs | mne.io.Raw
        EEG in V. Other channels are dropped.
    info : mne.Info
        Channels wanted, with positions, as in ``HeadModel.info``.
    sfreq : float, optional
        Sampling rate wanted, Hz. By default it is kept.
    match : {"name", "position"}
        ``"name"`` matches channels by name: case, the prefix ``EEG`` and suffixes
        such as ``-REF`` do not count, and T3, T4, T5, T6 are taken for T7, T8, P7,
        P8. Missing and bad channels are interpolated by spherical splines while
        they are at most a quarter. ``"position"`` interpolates every channel from
        the recorded positions, whatever the names.

    Returns
    -------
    same type as ``inst``
        EEG of shape (..., n_channels, n_times), V, average reference.

    Raises
    ------
    ValueError
        There is no EEG, values are not finite, a channel is flat, the unit is not
        V, names repeat, positions are absent, or too many channels are missing.

    Warns
    -----
    UserWarning
        Channels were ignored, interpolated or extrapolated.

    References
    ----------
    Perrin et al. (1989), Electroencephalography and Clinical Neurophysiology 72,
    184-187 (spherical splines, as MNE-Python does them).
    """
    if match not in ("name", "position"):
        msg = f"match is {match!r}; choose 'name' or 'position'."
        raise ValueError(msg)
    eeg = _pick_eeg(inst)
    check_values(eeg.get_data(), eeg.ch_names)
    eeg = _by_name(eeg, info) if match == "name" else _by_position(eeg, info)
    eeg.set_eeg_reference("average", projection=False, verbose="error")
    if sfreq is not None and not np.isclose(eeg.info["sfreq"], sfreq):
        eeg.resample(sfreq, verbose="error")
    return eeg


def resting_clips(
    raw: mne.io.BaseRaw, info: mne.Info, duration: float, sfreq: float
) -> np.ndarray:
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
    ValueError
        As :func:`prepare`, or the recording holds no whole good clip.
    """
    import mne

    eeg = prepare(raw, info, sfreq)
    epochs = mne.make_fixed_length_epochs(eeg, duration, preload=True, verbose="error")
    if not len(epochs):
        msg = f"duration={duration} s: the recording has no clip as long without bads."
        raise ValueError(msg)
    return epochs.get_data().swapaxes(1, 2)


def check_values(data: np.ndarray, ch_names: list[str]) -> None:
    """Refuse values that cannot be EEG in volts.

    Parameters
    ----------
    data : array of shape (..., n_channels, n_times)
        EEG, V, bad channels left out.
    ch_names : list of str
        Names for the messages.

    Raises
    ------
    ValueError
        Values are not finite, a channel does not vary, or the unit is not V.
    """
    rows = np.moveaxis(data, -2, 0).reshape(len(ch_names), -1)
    _refuse(
        ~np.isfinite(rows).all(axis=1),
        ch_names,
        "hold NaN or infinite values; mark them bad (inst.info['bads']) so that they "
        "are interpolated, or crop to finite samples.",
    )
    span = np.ptp(rows, axis=1)
    _refuse(
        span == 0,
        ch_names,
        "are flat; mark them bad (inst.info['bads']) so that they are interpolated. "
        "If one of them is the recording reference, apply "
        "inst.set_eeg_reference('average') first.",
    )
    if span.max() > _MAX_PLAUSIBLE:
        worst = ch_names[int(span.argmax())]
        msg = (
            f"Channel {worst} spans {span.max():.3g} V, which no EEG does: the values "
            "are probably microvolts. Multiply them by 1e-6 "
            "(inst.apply_function(lambda x: x * 1e-6))."
        )
        raise ValueError(msg)


def _refuse(is_bad: np.ndarray, ch_names: list[str], cure: str) -> None:
    if is_bad.any():
        names = [name for name, bad in zip(ch_names, is_bad, strict=True) if bad]
        msg = f"Channels {names} {cure}"
        raise ValueError(msg)


def _pick_eeg(inst: Instance) -> Instance:
    """Copy the good EEG channels into memory, without projectors."""
    import mne

    good = mne.pick_types(inst.info, meg=False, eeg=True, exclude="bads")
    if not len(good):
        msg = (
            "The recording has no good EEG channel; check inst.get_channel_types(), "
            "inst.info['bads'] and inst.set_channel_types()."
        )
        raise ValueError(msg)
    eeg = inst.copy()
    if hasattr(eeg, "load_data"):
        eeg.load_data()
    eeg = eeg.pick([inst.ch_names[i] for i in good], verbose="error")
    return _forget_projectors(eeg)


def _forget_projectors(eeg: Instance) -> Instance:
    """Drop projectors: the average reference is taken anew, others are named."""
    from mne.io.constants import FIFF

    reference = FIFF.FIFFV_PROJ_ITEM_EEG_AVREF
    applied = [
        proj["desc"]
        for proj in eeg.info["projs"]
        if proj["active"] and proj["kind"] != reference
    ]
    if applied:
        warnings.warn(
            f"Projectors {applied} were applied to the recording; head models do not "
            "know them. Prefer data cleaned by other means (ICA).",
            stacklevel=4,
        )
    with eeg.info._unlock():  # MNE refuses to forget an applied projector
        eeg.info["projs"] = []
    return eeg


def plain_name(name: str) -> str:
    """Return a channel's name without case, decoration and old spelling."""
    plain = _DECORATION.sub("", _DECORATION.sub("", name.strip().lower()))
    return _OLD_NAMES.get(plain, plain)


def _by_name(eeg: Instance, info: mne.Info) -> Instance:
    wanted = {plain_name(name): name for name in info.ch_names}
    matched: dict[str, str] = {}  # name in the head model -> name in the recording
    for name in eeg.ch_names:
        target = wanted.get(plain_name(name))
        if target in matched:
            msg = (
                f"Channels {matched[target]!r} and {name!r} both mean {target!r}; "
                "drop one of them."
            )
            raise ValueError(msg)
        if target is not None:
            matched[target] = name
    missing = [name for name in info.ch_names if name not in matched]
    unknown = [name for name in eeg.ch_names if name not in matched.values()]
    _check_missing(missing, unknown, info)
    if unknown:
        warnings.warn(
            f"Channels {unknown} are not in the head model and are ignored; rename "
            "them if they should be (inst.rename_channels).",
            stacklevel=4,
        )
    eeg.drop_channels(unknown)
    eeg.rename_channels({old: new for new, old in matched.items()}, verbose="error")
    if missing:
        warnings.warn(
            f"Channels {missing} are missing or bad and were interpolated from the "
            f"other {len(matched)}.",
            stacklevel=4,
        )
        eeg = _add_empty(eeg, missing)
    eeg.reorder_channels(info.ch_names)
    eeg.set_montage(info.get_montage(), verbose="error")
    eeg.info["bads"] = missing
    return eeg.interpolate_bads(verbose="error") if missing else eeg


def _check_missing(missing: list[str], unknown: list[str], info: mne.Info) -> None:
    if len(missing) <= MAX_MISSING * len(info.ch_names):
        return
    msg = (
        f"{len(missing)} of the head model's {len(info.ch_names)} channels are missing "
        f"or bad: {missing}. At most {MAX_MISSING:.0%} are interpolated; choose a head "
        "model that fits the cap"
    )
    if unknown:
        msg += (
            f", or, for the channels with unknown names {unknown}, rename them "
            "(inst.rename_channels) or use match='position'"
        )
    raise ValueError(f"{msg}.")


def _add_empty(eeg: Instance, names: list[str]) -> Instance:
    """Append channels of zeros, which interpolation then fills."""
    import mne

    shape = list(eeg.get_data().shape)
    shape[-2] = len(names)
    info = mne.create_info(names, eeg.info["sfreq"], "eeg")
    with info._unlock():  # add_channels asks for equal filter settings
        info["highpass"], info["lowpass"] = eeg.info["highpass"], eeg.info["lowpass"]
    empty = np.zeros(shape)
    if isinstance(eeg, mne.Evoked):
        extra = mne.EvokedArray(empty, info, tmin=eeg.times[0], verbose="error")
    elif isinstance(eeg, mne.BaseEpochs):
        extra = mne.EpochsArray(
            empty, info, events=eeg.events, tmin=eeg.tmin, verbose="error"
        )
    else:
        extra = mne.io.RawArray(empty, info, first_samp=eeg.first_samp, verbose="error")
    return eeg.add_channels([extra], force_update_info=True)


def _by_position(eeg: Instance, info: mne.Info) -> Instance:
    import mne

    positions = _positions(eeg.info)
    _refuse(
        ~np.isfinite(positions).all(axis=1) | (positions == 0).all(axis=1),
        eeg.ch_names,
        "have no position; set them (inst.set_montage), or use match='name'.",
    )
    _check_coverage(positions, info)
    with mne.use_log_level("error"):
        moved = eeg.interpolate_to(info.get_montage(), method="spline", reg=_SPLINE_REG)
    return moved.reorder_channels(info.ch_names)


def _positions(info: mne.Info) -> np.ndarray:
    return np.array([ch["loc"][:3] for ch in info["chs"]])


def _check_coverage(recorded: np.ndarray, info: mne.Info) -> None:
    """Refuse a cap that leaves much of the head model's channels uncovered."""
    angles = _nearest_angle(_positions(info), recorded)
    far = [info.ch_names[i] for i in np.flatnonzero(angles > MAX_ANGLE)]
    if len(far) > MAX_MISSING * len(angles):
        msg = (
            f"The head model's channels {far} lie more than {MAX_ANGLE:.0f} degrees "
            "from any recorded one; choose a head model that fits the cap."
        )
        raise ValueError(msg)
    if far:
        warnings.warn(
            f"Channels {far} lie more than {MAX_ANGLE:.0f} degrees from any recorded "
            "one and are extrapolated.",
            stacklevel=5,
        )


def _nearest_angle(targets: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """Angle (degrees) from each target to the nearest recorded channel."""
    center = _sphere_center(targets)
    a, b = targets - center, recorded - center
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    return np.degrees(np.arccos(np.clip((a @ b.T).max(axis=1), -1, 1)))


def _sphere_center(points: np.ndarray) -> np.ndarray:
    """Center of the sphere that fits the points best (|p|^2 = 2 p.c + const)."""
    design = np.c_[2 * points, np.ones(len(points))]
    return np.linalg.lstsq(design, (points**2).sum(axis=1), rcond=None)[0][:3]
