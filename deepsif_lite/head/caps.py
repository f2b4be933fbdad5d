"""The template head under any cap: electrodes by name, or where they were measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import read_artifact
from ..cortex.surface import load_cortex
from ..errors import ChannelError
from ..recordings.names import standard_names
from .electrodes import CHANNELS_75, known_electrodes, template_positions
from .fsaverage import fiducials, mri_to_head
from .model import HeadModel, electrode_info, load_shells
from .scalp import ScalpPotentials

if TYPE_CHECKING:
    from mne import Info

_LEAST_CHANNELS = 3  # an average reference of two is a bipolar channel


def template_cap(channels: Sequence[str] | Info, name: str = "template") -> HeadModel:
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
        its EEG channels but the bad ones are taken.
    name : str
        Of the head model.

    Returns
    -------
    head : HeadModel
        Its rows have the names given, in their order; 994 parcels.

    Raises
    ------
    ChannelError
        A name is unknown and there is no position for it, names repeat, the positions
        do not fit a head, or there are fewer than three channels.

    Examples
    --------
    >>> from deepsif_lite.head import template_cap
    >>> template_cap(["Fp1", "EEG T3-REF", "Oz"])
    <HeadModel template: 3 channels, 994 regions>
    """
    info = None if isinstance(channels, Sequence) else _good_eeg(channels)
    ch_names = list(channels) if info is None else list(info.ch_names)
    if len(ch_names) < _LEAST_CHANNELS:
        msg = f"channels={ch_names} are too few; a head model takes three or more."
        raise ChannelError(msg)
    electrodes = load_shells().project(_places(ch_names, info))
    return HeadModel(
        name=name,
        leadfield=load_scalp_potentials().at(electrodes),
        ch_names=ch_names,
        info=electrode_info(ch_names, electrodes),
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


def _good_eeg(info: Info) -> Info:
    import mne

    return mne.pick_info(info, mne.pick_types(info, eeg=True, exclude="bads"))


def _places(ch_names: list[str], info: Info | None) -> NDArray:
    """Return where electrodes are, (n_channels, 3), m, MRI frame, near the scalp."""
    known = known_electrodes()
    standard = standard_names(ch_names, known)
    repeated = sorted({n for n in standard if standard.count(n) > 1})
    if repeated:
        msg = f"channels: {repeated} are there more than once; drop all but one."
        raise ChannelError(msg)
    unknown = [
        own for own, name in zip(ch_names, standard, strict=True) if name not in known
    ]
    if not unknown:
        nominal = template_positions(standard, fiducials()[1])
        return np.array([nominal[name] for name in standard])
    if info is None:
        msg = (
            f"channels: {unknown} are not electrodes of the 10-05 system; give their "
            "positions (a recording's info with a montage)."
        )
        raise ChannelError(msg)
    shared = dict(zip(standard, ch_names, strict=True))
    return _measured(info, {k: v for k, v in shared.items() if v not in unknown})


def _measured(info: Info, shared: dict[str, str]) -> NDArray:
    """Lay measured positions onto the template, and bring them to its MRI frame."""
    from ..recordings.positions import electrode_positions, place

    missing = np.isnan(electrode_positions(info)).any(axis=1)
    if missing.any():
        names = [info.ch_names[k] for k in np.flatnonzero(missing)]
        msg = f"channels: {names} have no position; set one (inst.set_montage)."
        raise ChannelError(msg)
    # The electrodes that both know, or else the paper's cap, stand for the scalp.
    nominal = template_positions(CHANNELS_75, fiducials()[1])
    scalp = load_shells().project(np.array(list(nominal.values())))
    template = electrode_info(list(CHANNELS_75), scalp)
    shared = {name: own for name, own in shared.items() if name in template.ch_names}
    placed = place(info, template, shared).positions
    to_head = mri_to_head()
    return (placed - to_head[:3, 3]) @ to_head[:3, :3]
