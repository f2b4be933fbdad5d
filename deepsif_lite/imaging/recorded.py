"""Recordings on the electrodes that they have: nothing is interpolated.

Missing and bad channels leave the leadfield as they have left the data. What splines
put in their place is no measurement, and a network takes it for one: of ten subjects'
visual responses, the share of the ten strongest regions that lie in areas 17 to 19
was .34 with 15 of 75 channels interpolated by one network, and .84 on the recorded 60
by one that had met artifacts in training.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from ..errors import ChannelError
from ..head.caps import kept_cap
from ..head.electrodes import TEN_TWENTY
from ..recordings.instances import good_eeg, warn
from ..recordings.positions import angles, electrode_positions, sphere
from ..recordings.preparation import prepare

if TYPE_CHECKING:
    import mne
    from numpy.typing import NDArray

    from ..head.model import HeadModel

    Instance = TypeVar("Instance", mne.Evoked, mne.BaseEpochs, mne.io.BaseRaw)

OWN_CAP = "template"  # the head model under whatever electrodes a recording has
FEWEST = 8  # electrodes; fewer tell next to nothing of where a source is
_FAR, _BARE = 40.0, 0.25  # degrees, and share of the 10-20 system, without an electrode


def prepare_as_recorded(
    inst: Instance,
    head: HeadModel | None,
    sfreq: float | None = None,
    *,
    match: str = "name",
    baseline: tuple[float | None, float | None] | None = None,
) -> tuple[Instance, HeadModel]:
    """Bring a recording to a head model that has its electrodes.

    Parameters
    ----------
    inst : mne.Evoked | mne.Epochs | mne.io.Raw
        EEG, V.
    head : HeadModel | None
        Channels to take of the recording; None puts the recording's own cap on the
        template, see :func:`deepsif_lite.head.template_cap`.
    sfreq, match, baseline
        As of :func:`deepsif_lite.recordings.prepare`.

    Returns
    -------
    ready : same type as ``inst``
    head : HeadModel
        With the channels of ``ready``, in their order.

    Raises
    ------
    DeepSIFError
        As of :func:`deepsif_lite.recordings.prepare`, or fewer than eight channels are
        left.

    Warns
    -----
    UserWarning
        As of :func:`deepsif_lite.recordings.prepare`, or electrodes leave a quarter
        of the head bare.
    """
    cap = head
    _check_channels(inst)
    if cap is None:  # has the recording's own names, wherever its electrodes were laid
        cap, match = kept_cap(inst.info, match=match), "name"
    _check_number(cap.ch_names, cap)
    ready = prepare(
        inst, cap.info, sfreq, match=match, baseline=baseline, interpolate=False
    )
    _check_number(ready.ch_names, cap)
    cap = cap.pick(ready.ch_names)
    _warn_about_bare_head(cap)
    return ready, cap


def _check_channels(inst: Instance) -> None:
    """Refuse a recording that has too few channels, whatever they are named."""
    n_channels = len(good_eeg(inst.info))
    if n_channels < FEWEST:
        msg = (
            f"The recording has {n_channels} good EEG channels; {FEWEST} are needed to "
            "tell where a source is, 16 or more advised."
        )
        raise ChannelError(msg)


def _check_number(ch_names: list[str], cap: HeadModel) -> None:
    if len(ch_names) >= FEWEST:
        return
    msg = (
        f"Only {len(ch_names)} good channels of the recording are electrodes of "
        f"head={cap.name!r}: {ch_names}. {FEWEST} are needed, 16 or more advised; rename "
        "channels (inst.rename_channels), set positions (inst.set_montage) and leave "
        "head out."
    )
    raise ChannelError(msg)


def _warn_about_bare_head(cap: HeadModel) -> None:
    """Warn where electrodes cover a part of the head alone."""
    bare = _bare_places(cap)
    if len(bare) > _BARE * len(TEN_TWENTY):
        warn(
            f"No electrode lies within {_FAR:.0f} degrees of {bare}: sources there are "
            "not seen, and others may be placed there."
        )


def covered_share(head: HeadModel) -> float:
    """Return the share of the 10-20 system's places that have an electrode nearby."""
    return 1 - len(_bare_places(head)) / len(TEN_TWENTY)


def _bare_places(head: HeadModel) -> list[str]:
    """Return the places of the 10-20 system that are far from any electrode."""
    whole, center = _ten_twenty()
    apart = angles(whole, electrode_positions(head.info), center).min(axis=1)
    return [name for name, far in zip(TEN_TWENTY, apart > _FAR, strict=True) if far]


@lru_cache(maxsize=1)
def _ten_twenty() -> tuple[NDArray, NDArray]:
    """Return the places of the 10-20 system, and the center of the head, m."""
    places = electrode_positions(kept_cap(TEN_TWENTY).info)
    return places, sphere(places)[1]
