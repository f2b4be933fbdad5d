"""What a recording says of itself, or shows, that its image would not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .instances import no_electrodes, values_of, warn
from .traces import find_clipped, find_mains, find_processing

if TYPE_CHECKING:
    import mne

    from .instances import Instance

_MOST_MAINS = 0.5  # of the power; beyond it, an image shows the hum


def notice_kind(inst: Instance) -> None:
    """Warn of responses that are no averages."""
    kind = getattr(inst, "kind", "average")
    if kind != "average":
        warn(
            f"The evoked response is of kind {kind!r}, not an average over epochs; its "
            "image is none of a brain response."
        )


def notice_other_signals(info: mne.Info) -> None:
    """Warn of channels of type EEG that are none of one electrode."""
    import mne

    eeg = mne.pick_types(info, meg=False, eeg=True, exclude="bads")
    others = no_electrodes(info, eeg)
    if others:
        warn(
            f"Channels {others} are of type EEG, but record something else by their "
            "names, or are differences of two electrodes; they are left out. Set their "
            "type (inst.set_channel_types), or rename them (inst.rename_channels)."
        )


def notice_processing(eeg: Instance) -> None:
    """Warn of values that are no potentials any more."""
    found = find_processing(values_of(eeg))
    if found:
        warn(
            f"{found}; its image is none of sources in the brain. Give the potentials "
            "as they were recorded."
        )
    clipped = [eeg.ch_names[i] for i in find_clipped(values_of(eeg))]
    if clipped:
        warn(
            f"Channels {clipped} are cut off at their largest or smallest value, as by "
            "an amplifier or a file format whose range they exceed. Choose another "
            "window, export with a larger range, or mark them bad (inst.info['bads'])."
        )


def notice_mains(eeg: Instance) -> None:
    """Warn of a recording that is hum for the most part."""
    frequency, share = find_mains(values_of(eeg), eeg.info["sfreq"])
    if share > _MOST_MAINS:
        warn(
            f"{share:.0%} of the signal's power is at {frequency} Hz, that of mains: the "
            f"image may show where the hum is. Filter the recording before it is cut "
            f"(inst.notch_filter({frequency}), or inst.filter(None, 40))."
        )


def forget_projectors(eeg: Instance) -> Instance:
    """Drop projectors: the average reference is taken anew, others are named."""
    from mne.io.constants import FIFF

    reference = FIFF.FIFFV_PROJ_ITEM_EEG_AVREF
    others = [
        proj
        for proj in eeg.info["projs"]
        if proj["kind"] != reference and {*proj["data"]["col_names"]} & {*eeg.ch_names}
    ]
    applied = [proj["desc"] for proj in others if proj["active"]]
    waiting = [proj["desc"] for proj in others if not proj["active"]]
    if applied:
        warn(
            f"Projectors {applied} were applied to the recording; head models do not "
            "know them. Prefer data cleaned by other means (ICA)."
        )
    if waiting:
        warn(
            f"Projectors {waiting} were not applied to the recording, and are not: what "
            "they would remove is in the image. Clean the data by other means (ICA)."
        )
    with eeg.info._unlock():  # MNE refuses to forget an applied projector
        eeg.info["projs"] = []
    return eeg
