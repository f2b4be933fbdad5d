"""Read EEG from files of any kind that MNE knows, and write source images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mne


def read_evoked(
    path: str | Path,
    condition: str | int | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
) -> mne.Evoked:
    """Read an evoked response, average epochs, or cut a window from a raw recording.

    Parameters
    ----------
    path : str or path
        Any file that MNE reads.
    condition : str or int, optional
        Which evoked response of the file, or which event of its epochs. It may be
        left out where there is only one evoked response, and for all epochs.
    tmin, tmax : float, optional
        Window, s. A raw recording needs both.

    Returns
    -------
    mne.Evoked

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The condition or the window is missing, or does not exist in the file.
    """
    path = Path(path)
    if not path.exists():
        msg = f"There is no file {str(path)!r}."
        raise FileNotFoundError(msg)
    kind = _kind(path)
    if kind == "evoked":
        evoked = _choose_evoked(path, condition)
    elif kind == "epochs":
        evoked = _average_epochs(path, condition)
    else:
        evoked = _window_of_raw(path, tmin, tmax)
    return evoked.crop(tmin, tmax, verbose="error")


def _kind(path: Path) -> str:
    import mne

    if path.name.endswith((".fif", ".fif.gz")):
        return mne.what(path)
    if path.suffix == ".set":
        from scipy.io import whosmat

        return "epochs" if "epoch" in str(whosmat(path)) else "raw"
    return "raw"


def _choose_evoked(path: Path, condition: str | int | None) -> mne.Evoked:
    import mne

    responses = mne.read_evokeds(path, verbose="error")
    names = [evoked.comment for evoked in responses]
    if condition is None and len(responses) == 1:
        return responses[0]
    if str(condition) in names:
        return responses[names.index(str(condition))]
    number = str(condition)
    if number.isdigit() and int(number) < len(responses):
        return responses[int(number)]
    msg = (
        f"condition is {condition!r}; {path.name} holds {names} (a name, or a number "
        "from 0)."
    )
    raise ValueError(msg)


def _average_epochs(path: Path, condition: str | int | None) -> mne.Evoked:
    import mne

    read = mne.read_epochs_eeglab if path.suffix == ".set" else mne.read_epochs
    epochs = read(path, verbose="error")
    if condition is None:
        return epochs.average()
    if str(condition) not in epochs.event_id:
        msg = f"condition is {condition!r}; {path.name} holds {list(epochs.event_id)}."
        raise ValueError(msg)
    return epochs[str(condition)].average()


def _window_of_raw(path: Path, tmin: float | None, tmax: float | None) -> mne.Evoked:
    import mne

    raw = mne.io.read_raw(path, verbose="error")
    if tmin is None or tmax is None:
        msg = (
            f"{path.name} is a raw recording of {raw.times[-1]:.1f} s: give tmin and "
            "tmax, a window of about one second around the event."
        )
        raise ValueError(msg)
    if not 0 <= tmin < tmax <= raw.times[-1]:
        msg = (
            f"tmin={tmin}, tmax={tmax} s do not lie within 0 to {raw.times[-1]:.1f} s."
        )
        raise ValueError(msg)
    part = raw.crop(tmin, tmax).load_data(verbose="error")
    return mne.EvokedArray(
        part.get_data(), part.info, tmin=tmin, comment="window", verbose="error"
    )
