"""The template head under any cap: electrodes by name, or where they were measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import read_artifact
from ..cortex.surface import load_cortex
from ..errors import ChannelError, check_option
from ..recordings.instances import good_eeg, warn
from ..recordings.matching import set_table
from ..recordings.names import NAMED, check_derivations, numbered_cap, standard_names
from ..recordings.positions import electrode_positions
from .electrodes import CHANNELS_75, known_electrodes, template_positions
from .fsaverage import fiducials, mri_to_head
from .model import HeadModel, electrode_info, load_shells
from .scalp import ScalpPotentials

if TYPE_CHECKING:
    from mne import Info

_N_CAPS = 8  # that stay in memory; each takes 8 KB an electrode
_LEAST_CHANNELS = 3  # an average reference of two is a bipolar channel


def template_cap(channels: Sequence[str] | Info, *, match: str = "name") -> HeadModel:
    """Put any cap on the template head.

    Takes milliseconds: the potentials of every parcel are known all over the scalp,
    see :class:`ScalpPotentials`. Electrodes whose names belong to the 10-05 system sit
    where it puts them on the template. Where names do not tell, the positions of the
    recording are laid onto the template's scalp, by the recording's fiducials, else by
    the names both know, else about the sphere that fits them.

    Parameters
    ----------
    channels : sequence of str | mne.Info
        Names of electrodes in any spelling, or what a recording knows of its channels:
        its EEG channels but the bad ones are taken, and of these all whose place is
        known.
    match : {"name", "position"}
        Whether names say where the electrodes of a recording are, or their measured
        positions do.

    Returns
    -------
    head : HeadModel
        Its rows have the names given, in their order; 994 parcels.

    Raises
    ------
    ChannelError
        A name given alone is unknown, names repeat, positions do not fit a head, there
        is no good EEG channel, or the place of fewer than three is known.

    Warns
    -----
    UserWarning
        A numbered cap has no positions; those that its maker lists are used.

    Examples
    --------
    >>> from deepsif_lite.head import template_cap
    >>> template_cap(["Fp1", "EEG T3-REF", "Oz"])
    <HeadModel template: 3 channels, 994 regions>
    """
    cap = kept_cap(channels, match=match)
    return replace(
        cap,
        leadfield=cap.leadfield.copy(),
        ch_names=cap.ch_names.copy(),
        info=cap.info.copy(),
        sensors=cap.sensors.copy(),
    )


def kept_cap(channels: Sequence[str] | Info, *, match: str = "name") -> HeadModel:
    """Return what :func:`template_cap` does, one that is shared: leave it as it is."""
    check_option("match", match, ("name", "position"))
    if isinstance(channels, Sequence):
        ch_names, near = list(channels), _by_names(channels)
    else:
        import mne

        good = good_eeg(channels)
        whole = len(good) == len(channels.ch_names)
        info = channels if whole else mne.pick_info(channels, good)
        ch_names, near = _of_recording(info, match)
    if len(ch_names) < _LEAST_CHANNELS:
        msg = f"channels={ch_names} are too few; a head model takes three or more."
        raise ChannelError(msg)
    return _under(tuple(ch_names), near.astype(float).tobytes())


@lru_cache(maxsize=_N_CAPS)
def _under(ch_names: tuple[str, ...], near: bytes) -> HeadModel:
    """Return the template head under electrodes near given points, (n_channels, 3)."""
    points = np.frombuffer(near).reshape(-1, 3)
    electrodes = load_shells().project(points)
    return HeadModel(
        name="template",
        leadfield=load_scalp_potentials().at(electrodes),
        ch_names=list(ch_names),
        info=electrode_info(list(ch_names), electrodes),
        cortex=load_cortex(),
        sensors=electrodes,
    )


@lru_cache(maxsize=1)
def load_scalp_potentials() -> ScalpPotentials:
    """Load the potentials of the template's 994 parcels at the scalp's vertices.

    Raises
    ------
    ArtifactError
        The shipped file is damaged.
    """
    stored = read_artifact("head/scalp.npz", "scalp")
    return ScalpPotentials(load_shells(), stored["potentials"].astype(float))


def _by_names(names: Sequence[str]) -> NDArray:
    """Return where electrodes are by their names, (n_channels, 3), m, MRI frame."""
    known = known_electrodes()
    standard = standard_names(names, known)
    _check_unique(standard, names)
    unknown = [
        own for own, name in zip(names, standard, strict=True) if name not in known
    ]
    if unknown:
        msg = (
            f"channels: {unknown} are not electrodes of the 10-05 system; give their "
            "positions (a recording's info with a montage)."
        )
        raise ChannelError(msg)
    nominal = template_positions(standard, fiducials()[1])
    return np.array([nominal[name] for name in standard]).reshape(-1, 3)


def _of_recording(info: Info, match: str) -> tuple[list[str], NDArray]:
    """Return the channels of a recording whose place is known, and these places."""
    import mne

    table = numbered_cap(info.ch_names)
    if table is not None and np.isnan(electrode_positions(info)).all():
        info = set_table(info, table)
    # Numbers are no names: BioSemi's C1 is not the C1 of the 10-10 system.
    known = known_electrodes() if table is None else ()
    standard = standard_names(info.ch_names, known)
    there = frozenset(known)
    named = np.array([name in there for name in standard])
    placed = np.isfinite(electrode_positions(info)).all(axis=1)
    # Names tell unless some electrode that has a place has no name among them.
    if match == "name" and not (placed & ~named).any():
        names = [info.ch_names[k] for k in np.flatnonzero(named)]
        _check_places(names, info)
        return names, _by_names(names)
    _check_places(np.array(info.ch_names)[placed].tolist(), info)
    counts = Counter(standard)
    shared = {
        name: own
        for name, own, usable in zip(
            standard, info.ch_names, named & placed, strict=True
        )
        if usable and counts[name] == 1
    }
    kept = mne.pick_info(info, np.flatnonzero(placed), verbose="error")
    return list(kept.ch_names), _measured(kept, shared)


def _check_places(there: list[str], info: Info) -> None:
    """Refuse a recording of whose channels too few have a place."""
    if len(there) < _LEAST_CHANNELS:
        check_derivations(info.ch_names, known_electrodes())
        msg = (
            f"The places of {len(there)} of the recording's {len(info.ch_names)} good "
            f"EEG channels are known ({info.ch_names[:NAMED]} ...), and a head model "
            f"takes {_LEAST_CHANNELS} or more; rename them to the 10-05 system "
            "(inst.rename_channels), or set their positions (inst.set_montage)."
        )
        raise ChannelError(msg)


def _check_unique(standard: list[str], names: Sequence[str]) -> None:
    counts = Counter(standard)
    repeated = [n for s, n in zip(standard, names, strict=True) if counts[s] > 1]
    if repeated:
        msg = (
            f"channels: {repeated} are there more than once, by their names or others "
            "of the same places; drop all but one of each."
        )
        raise ChannelError(msg)


def _measured(info: Info, shared: dict[str, str]) -> NDArray:
    """Lay measured positions onto the template, and bring them to its MRI frame."""
    from ..recordings.positions import place

    template = _paper_cap()
    shared = {name: own for name, own in shared.items() if name in template.ch_names}
    placed, _, _, astray = place(info, template, shared)
    if astray:
        far = {name: f"{angle:.0f}" for name, angle in astray.items()}
        warn(
            f"Electrodes lie so many degrees from where their names put them: {far}. "
            "Their positions are used; check both, or use match='name'."
        )
    to_head = mri_to_head()
    return (placed - to_head[:3, 3]) @ to_head[:3, :3]


@lru_cache(maxsize=1)
def _paper_cap() -> Info:
    """Describe the paper's cap on the template: it stands for the template's scalp."""
    nominal = template_positions(CHANNELS_75, fiducials()[1])
    scalp = load_shells().project(np.array(list(nominal.values())))
    return electrode_info(list(CHANNELS_75), scalp)
