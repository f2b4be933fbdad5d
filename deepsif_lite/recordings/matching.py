"""Find the channels of a head model among those recorded: by name or by position."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ChannelError
from .instances import warn
from .names import NAMED, check_derivations, match_names, numbered_cap
from .positions import MAX_ANGLE, angles, electrode_positions, place, sphere

if TYPE_CHECKING:
    import mne

    from .instances import Instance

logger = logging.getLogger(__name__)

MAX_MISSING = 0.25
"""Largest share of channels that is interpolated."""

# Degrees, 3 mm on the scalp: no digitizer tells such electrodes apart.
_SAME_PLACE = 2.0


class Cap(NamedTuple):
    """Recorded channels as the head model sees them, in the order recorded.

    Attributes
    ----------
    targets : sequence of (str | None)
        The channel of the head model that each one is.
    positions : array of shape (n_channels, 3)
        Meters, head frame of the head model.
    by_name : bool
        They were found by their names.
    unknown : list of str
        Recorded channels that cannot be used.
    """

    targets: Sequence[str | None]
    positions: NDArray
    by_name: bool
    unknown: list[str]


def match_channels(
    eeg: Instance, info: mne.Info, match: str, *, all_needed: bool = True
) -> tuple[Instance, Cap]:
    """Keep the channels that can be used, and tell where they belong.

    Parameters
    ----------
    eeg : mne.Evoked | mne.Epochs | mne.io.Raw
        Good EEG channels alone; changed in place.
    info : mne.Info
        Channels wanted, with positions.
    match : {"name", "position"}
        As for :func:`~deepsif_lite.recordings.prepare`.
    all_needed : bool
        Whether missing channels are counted.

    Returns
    -------
    eeg
        The channels of the cap.
    cap : Cap

    Raises
    ------
    ChannelError
        Names repeat, positions are absent or do not fit, or too many are missing.
    """
    # A head model under the recording's own cap has its very names.
    is_own = match == "name" and set(info.ch_names) <= set(eeg.ch_names)
    table = None if is_own else numbered_cap(eeg.ch_names)
    if table is not None:
        match = "position"
        if np.isnan(electrode_positions(eeg.info)).all():
            eeg = set_table(eeg, table)
    matched = _matched(eeg.ch_names, info.ch_names, match)
    if match == "name":
        cap = _by_name(eeg.ch_names, matched, info)
    else:
        cap = _by_position(eeg.info, matched, info)
    if cap.by_name and all_needed:
        _check_missing(cap, info)
    if len(cap.unknown) == len(eeg.ch_names):
        check_derivations(eeg.ch_names, info.ch_names)
        msg = (
            f"No channel of the recording ({eeg.ch_names[:NAMED]} ...) is an electrode "
            "of the head model; rename them (inst.rename_channels), or set their "
            "positions (inst.set_montage) and leave head out."
        )
        raise ChannelError(msg)
    _warn_about_unknown(cap)
    return (eeg.drop_channels(cap.unknown) if cap.unknown else eeg), cap


def _matched(
    recorded: Sequence[str], wanted: Sequence[str], match: str
) -> dict[str, str]:
    try:
        return match_names(recorded, wanted)
    except ChannelError:  # positions can tell two of one name apart
        if match == "name":
            raise
        return {}


def _warn_about_unknown(cap: Cap) -> None:
    if cap.unknown:
        what = "are not in the head model" if cap.by_name else "have no position"
        warn(
            f"Channels {cap.unknown} {what} and are ignored; rename them if they should "
            "be used (inst.rename_channels)."
        )


def set_table(eeg: Instance | mne.Info, table: str) -> Instance | mne.Info:
    """Give numbered electrodes the positions that their maker lists, in place."""
    import mne

    montage = mne.channels.make_standard_montage(table)
    warn(
        f"The electrodes have no positions; those of MNE's montage {table!r} are used."
    )
    return eeg.set_montage(
        montage, match_case=False, on_missing="ignore", verbose="error"
    )


def _by_name(names: list[str], matched: dict[str, str], info: mne.Info) -> Cap:
    target_of = {recorded: target for target, recorded in matched.items()}
    used = [name for name in names if name in target_of]
    targets = [target_of[name] for name in used]
    here = dict(zip(info.ch_names, electrode_positions(info), strict=True))
    positions = np.array([here[name] for name in targets]).reshape(-1, 3)
    unknown = [name for name in names if name not in target_of]
    return Cap(targets, positions, True, unknown)


def _by_position(recorded: mne.Info, matched: dict[str, str], info: mne.Info) -> Cap:
    import mne

    known = np.isfinite(electrode_positions(recorded)).all(axis=1)
    unknown = [n for n, k in zip(recorded.ch_names, known, strict=True) if not k]
    if len(unknown) > MAX_MISSING * len(known):
        msg = (
            f"Channels {unknown} have no position; set them (inst.set_montage), or use "
            "match='name'."
        )
        raise ChannelError(msg)
    placed = mne.pick_info(recorded, np.flatnonzero(known))
    matched = {t: name for t, name in matched.items() if name not in unknown}
    positions = place(placed, info, matched).positions
    targets = _same_electrodes(placed.ch_names, positions, matched, info)
    return Cap(targets, positions, False, unknown)


def _same_electrodes(
    names: list[str], positions: NDArray, matched: dict[str, str], info: mne.Info
) -> list[str | None]:
    """Tell which recorded electrodes are electrodes of the head model.

    By name where position does not contradict, and by position where no name does.
    """
    here = electrode_positions(info)
    apart = angles(here, positions, sphere(here)[1])
    targets: list[str | None] = [None] * len(names)
    contradicted = []
    for row, target in enumerate(info.ch_names):
        column = int(apart[row].argmin())
        limit = _SAME_PLACE
        if target in matched:
            named = names.index(matched[target])
            if apart[row, named] <= MAX_ANGLE:
                column, limit = named, MAX_ANGLE
            else:
                contradicted.append(matched[target])
        if apart[row, column] <= limit and targets[column] is None:
            targets[column] = target
    if contradicted:
        warn(
            f"Channels {contradicted} lie more than {MAX_ANGLE:.0f} degrees from the "
            "head model's channels of that name; their positions are used."
        )
    return targets


def _check_missing(cap: Cap, info: mne.Info) -> None:
    """Refuse a cap that lacks more channels than may be interpolated."""
    missing = [name for name in info.ch_names if name not in cap.targets]
    if len(missing) <= MAX_MISSING * len(info.ch_names):
        return
    msg = (
        f"{len(missing)} of the head model's {len(info.ch_names)} channels are missing "
        f"or bad: {missing}. At most {MAX_MISSING:.0%} are interpolated; choose a head "
        "model that fits the cap"
    )
    if cap.unknown:
        msg += (
            f", or, for the channels with unknown names {cap.unknown}, rename them "
            "(inst.rename_channels) or use match='position'"
        )
    raise ChannelError(f"{msg}.")


def check_cover(cap: Cap, info: mne.Info) -> None:
    """Refuse a cap that leaves much of the head model's channels without neighbors."""
    missing = [name for name in info.ch_names if name not in cap.targets]
    if cap.by_name:
        _check_missing(cap, info)
        if missing:
            warn(
                f"Channels {missing} are missing or bad and were interpolated from the "
                f"other {len(cap.targets)}."
            )
        return
    here = electrode_positions(info)
    nearest = angles(here, cap.positions, sphere(here)[1]).min(axis=1)
    far = [n for n, a in zip(info.ch_names, nearest, strict=True) if a > MAX_ANGLE]
    far = [name for name in far if name in missing]
    if len(far) > MAX_MISSING * len(info.ch_names):
        msg = (
            f"The head model's channels {far} lie more than {MAX_ANGLE:.0f} degrees "
            "from any recorded one; choose a head model that fits the cap."
        )
        raise ChannelError(msg)
    if far:
        warn(
            f"Channels {far} lie more than {MAX_ANGLE:.0f} degrees from any recorded "
            "one and are extrapolated."
        )
    logger.info(
        "%d of %d channels are recorded ones, the others interpolated.",
        len(info.ch_names) - len(missing),
        len(info.ch_names),
    )
