"""What kinds of recordings there are: refuse what is none, and say what to give."""

from __future__ import annotations

import numpy as np

from ..errors import SignalError


def check_instance(inst: object, name: str = "inst", *, averaged: bool = False) -> None:
    """Refuse what is no recording of MNE's.

    Parameters
    ----------
    inst : object
        What was given.
    name : str
        Of the argument.
    averaged : bool
        Only an evoked response will do.

    Raises
    ------
    SignalError
        Names what was given, and what to do.
    """
    import mne

    if isinstance(inst, mne.Evoked):
        return
    if not averaged and isinstance(inst, (mne.BaseEpochs, mne.io.BaseRaw)):
        return
    cures = {
        mne.io.BaseRaw: "cut windows around the events and average them: "
        "mne.Epochs(raw, events, tmin=-0.5, tmax=0.5).average()",
        mne.BaseEpochs: "average them: epochs.average()",
        np.ndarray: "wrap it, in V: mne.EvokedArray(data, info)",
        (list, tuple): "give one of them",
        object: "read a file by deepsif_lite.recordings.read_evoked(path)",
    }
    cure = next(cure for kind, cure in cures.items() if isinstance(inst, kind))
    wanted = "mne.Evoked" if averaged else "mne.Evoked, Epochs or Raw"
    msg = f"{name} is of type {type(inst).__name__}, not {wanted}; {cure}."
    raise SignalError(msg)
