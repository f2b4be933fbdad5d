"""Read EEG from files of any kind that MNE knows."""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileError, OptionError, WindowError
from .instances import conditions_of
from .windows import check_baseline, check_window

if TYPE_CHECKING:
    import mne

# What to give instead of files that MNE cannot read as they are.
_CURES = {
    ".eeg": "of BrainVision's three files, give the one that ends in .vhdr (Nihon "
    "Kohden's .EEG needs its .21E and .PNT beside it)",
    ".vmrk": "of BrainVision's three files, give the one that ends in .vhdr",
    ".dat": "of Persyst's two files, give the one that ends in .lay",
    ".fdt": "of EEGLAB's two files, give the one that ends in .set",
    ".set": "install what MATLAB's v7.3 files need (pip install 'deepsif-lite[eeglab]')",
    **dict.fromkeys(
        (".csv", ".tsv", ".txt", ".xlsx", ".npy", ".npz", ".h5", ".hdf5", ".parquet"),
        "read the values, in V, with a reader of tables or arrays, and say what they are "
        "(mne.EvokedArray(data, mne.create_info(ch_names, sfreq, 'eeg')))",
    ),
    **dict.fromkeys((".gz", ".bz2", ".zip", ".xz", ".7z"), "unpack it"),
    ".mff": "install what EGI's folders need (pip install mffpy)",
    ".mat": "MNE reads FieldTrip's .mat with a description of the channels "
    "(mne.io.read_raw_fieldtrip)",
}
_OWN_READER = "open it with MNE's reader for the format (mne.io.read_raw_...)"
_GAPS = (b"EDF+D", b"BDF+D")
_GAPS_AT = 192  # byte of the header that says whether the records follow each other
_FOLDERS = (".mff", ".ds")  # formats that are folders
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)  # C:/ is a disk
_NAMED = 8  # annotations that an error names
_BAD = ("bad", "edge", "boundary")  # how MNE and EEGLAB name spoiled pieces and gaps


def read_evoked(
    path: str | Path,
    condition: str | int | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    baseline: tuple[float | None, float | None] | None = None,
) -> mne.Evoked:
    """Read an evoked response, or average epochs, or what a raw recording marks.

    Of a raw recording, the stretches around all annotations of one name are averaged;
    without a name, one window is cut.

    Parameters
    ----------
    path : str | path
        Any file that MNE reads.
    condition : str | int | None
        Which evoked response of the file (name, or number from 0), or which event of
        its epochs, or annotation of its raw recording (name, or a part of names:
        ``"auditory"`` for ``"auditory/left"``). It may be left out where there is only
        one response or event.
    tmin, tmax : float | None
        Window, s, cut from a raw recording, which needs both: of the recording, or
        around each annotation. Evoked responses and epochs are returned whole, since
        their baseline may lie outside the window: :func:`deepsif_lite.image` takes
        baseline and window, in this order.
    baseline : tuple of (float | None, float | None) | None
        Times without signal, s, counted as the window is. From a raw recording, what is
        cut reaches from the first to the last time of window and baseline.

    Returns
    -------
    mne.Evoked

    Raises
    ------
    FileNotFoundError
        There is no such file.
    FileError
        It cannot be read as EEG.
    OptionError
        The condition is missing, or does not exist in the file.
    WindowError
        The window is missing, or does not lie within the file around any annotation.

    Warns
    -----
    UserWarning
        The window holds pieces annotated as bad, the file has gaps, or epochs of
        several conditions are averaged as one.
    """
    import mne

    path = _existing(path)
    with _one_error(path):
        recording = _open(path)
    if isinstance(recording, mne.io.BaseRaw):
        _warn_about_gaps(path)
        return _part_of_raw(recording, path, condition, (tmin, tmax), baseline)
    if isinstance(recording, mne.BaseEpochs):
        return _average_epochs(recording, path, condition)
    return _choose_evoked(recording, path, condition)


def _existing(path: str | Path) -> Path:
    """Return the path of a file that is there."""
    if not isinstance(path, (str, Path)):
        msg = f"path is of type {type(path).__name__}; give that of a file, as text."
        raise FileError(msg)
    if _ADDRESS.match(str(path)):
        msg = f"{str(path)!r} is an address; download the file, and give its path."
        raise FileError(msg)
    path = Path(path).expanduser()
    if not path.exists():
        msg = f"There is no file {str(path)!r}."
        raise FileNotFoundError(msg)
    if path.is_dir() and path.suffix.lower() not in _FOLDERS:
        msg = f"{str(path)!r} is a folder; give the file of a recording in it."
        raise FileError(msg)
    return path


@contextmanager
def _one_error(path: Path) -> Iterator[None]:
    """Turn whatever a reader raises into one error that says what to do."""
    try:
        yield
    except FileError:
        raise
    except Exception as error:  # readers raise anything from KeyError to struct.error
        cure = _CURES.get(path.suffix.lower(), _OWN_READER)
        if isinstance(error, FileNotFoundError):
            cure = "put the file that is missing beside it, under that name"
        elif path.suffix.lower() == ".set" and not _is_of_v73(error):
            cure = _OWN_READER
        reason = next(iter(str(error).strip().splitlines()), "") or "no reason given"
        msg = (
            f"{path.name} cannot be read as EEG ({type(error).__name__}: {reason}). "
            f"Instead, {cure}, or save the recording as .fif (inst.save)."
        )
        raise FileError(msg) from error


def _is_of_v73(error: Exception) -> bool:
    """Return whether an EEGLAB file needs what MATLAB's v7.3 needs."""
    return isinstance(error, ImportError) or "mat file type" in str(error)


def _open(path: Path) -> mne.io.BaseRaw | mne.BaseEpochs | list[mne.Evoked]:
    """Open a file as what MNE's readers find in it."""
    import mne

    if path.name.lower().endswith((".fif", ".fif.gz")):
        return _open_fif(path)
    # MNE's lazy reading of EEGLAB files asks for an ending in small letters.
    preload = path.suffix != path.suffix.lower()
    try:
        return mne.io.read_raw(path, preload=preload, verbose="error")
    except TypeError:  # so MNE says that an EEGLAB file holds epochs
        if path.suffix.lower() != ".set":
            raise
        return mne.read_epochs_eeglab(path, verbose="error")


def _open_fif(path: Path) -> mne.io.BaseRaw | mne.BaseEpochs | list[mne.Evoked]:
    """Open a FIF file by the first reader that can; ``mne.what`` tries them all."""
    import mne

    readers = {
        mne.io.read_raw_fif: {},
        # As raw data, these come as they were saved: projectors are not applied.
        mne.read_epochs: {"proj": False},
        mne.read_evokeds: {"proj": False},
    }
    for read, options in readers.items():
        with suppress(Exception):  # readers raise anything of what is not theirs
            return read(path, **options, verbose="error")
    kind = mne.what(path)
    holds = "no FIF data, or damaged ones" if kind == "unknown" else f"{kind} data"
    msg = (
        f"{path.name} holds {holds}, not EEG; give a file of raw data, epochs or "
        "evoked responses."
    )
    raise FileError(msg)


def _choose_evoked(
    responses: Sequence[mne.Evoked], path: Path, condition: str | int | None
) -> mne.Evoked:
    names = [evoked.comment for evoked in responses]
    if condition is None and len(responses) == 1:
        return responses[0]
    named = [evoked for evoked in responses if evoked.comment == str(condition)]
    # Averages come before standard errors of the same name.
    averages = [evoked for evoked in named if evoked.kind == "average"] or named
    if len(averages) > 1:
        msg = (
            f"condition={condition!r} is the name of {len(averages)} responses of "
            f"{path.name}: {names}; give a number, from 0."
        )
        raise OptionError(msg)
    if averages:
        return averages[0]
    number = str(condition)
    if number.isdecimal() and int(number) < len(responses):
        return responses[int(number)]
    msg = (
        f"condition={condition!r}; {path.name} holds {names} (give a name, or a number "
        "from 0)."
    )
    raise OptionError(msg)


def _average_epochs(
    epochs: mne.BaseEpochs, path: Path, condition: str | int | None
) -> mne.Evoked:
    if condition is not None:
        try:
            epochs = epochs[str(condition)]
        except KeyError:
            msg = f"condition={condition!r}; {path.name} holds {list(epochs.event_id)}."
            raise OptionError(msg) from None
    with _one_error(path):
        epochs.load_data()
    if not len(epochs):
        msg = f"{path.name} holds no epochs (all were rejected); loosen the rejection."
        raise FileError(msg)
    counts = conditions_of(epochs)
    if condition is None and len(counts) > 1:
        first = next(iter(counts))
        warnings.warn(
            f"{path.name} holds epochs of {len(counts)} conditions ({counts}), which are "
            f"averaged as one. Choose one: condition={first!r} (--condition "
            f"{shlex.quote(first)}), as epochs[{first!r}].average() does.",
            stacklevel=3,
        )
    return epochs.average()


def _part_of_raw(
    raw: mne.io.BaseRaw,
    path: Path,
    condition: str | int | None,
    window: tuple[float | None, float | None],
    baseline: tuple[float | None, float | None] | None,
) -> mne.Evoked:
    if not raw.n_times or raw.info["sfreq"] <= 0:
        msg = (
            f"{path.name} holds no samples, or says nothing of their rate: it was cut "
            "short, or is of another format than its name says. Export it anew."
        )
        raise FileError(msg)
    marks = sorted(set(raw.annotations.description))
    low, high = window
    if low is None or high is None:
        marked = f" (or around its annotations {marks[:_NAMED]}: condition)"
        msg = (
            f"{path.name} is a raw recording of {raw.times[-1]:.1f} s: give tmin and "
            f"tmax, a window of about one second around the event{marked * bool(marks)}."
        )
        raise WindowError(msg)
    if condition is None:
        return _window_of_raw(raw, path, (low, high), baseline)
    return _average_marked(raw, path, str(condition), (low, high), baseline)


def _window_of_raw(
    raw: mne.io.BaseRaw,
    path: Path,
    window: tuple[float, float],
    baseline: tuple[float | None, float | None] | None,
) -> mne.Evoked:
    import mne

    times = list(check_window(raw.times, *window))
    if baseline is not None:
        times += check_baseline(raw.times, baseline)
    with _one_error(path):
        part = raw.copy().crop(min(times), max(times)).load_data(verbose="error")
    _warn_about_annotations(part, path)
    return mne.EvokedArray(
        part.get_data(), part.info, tmin=min(times), comment="window", verbose="error"
    )


def _average_marked(
    raw: mne.io.BaseRaw,
    path: Path,
    condition: str,
    window: tuple[float, float],
    baseline: tuple[float | None, float | None] | None,
) -> mne.Evoked:
    """Average what lies around annotations; stretches marked as bad are left out."""
    import mne

    times = [*window, *(time for time in baseline or () if time is not None)]
    tmin, tmax = min(times), max(times)
    if window[0] > window[1]:
        msg = f"tmin={window[0]}, tmax={window[1]}: its end comes before its start."
        raise WindowError(msg)
    events, codes = mne.events_from_annotations(raw, verbose="error")
    chosen = mne.event.match_event_names(codes, condition, on_missing="ignore")
    if not chosen:
        names = [str(name) for name in codes][:_NAMED]
        msg = (
            f"condition={condition!r}; {path.name} is a raw recording, whose annotations "
            f"are {names}. Without a condition, tmin and tmax are times of the recording."
        )
        raise OptionError(msg)
    codes = {name: codes[name] for name in chosen}
    options = {"baseline": None, "preload": True, "event_repeated": "drop"}
    with _one_error(path):
        epochs = mne.Epochs(raw, events, codes, tmin, tmax, **options, verbose="error")
    if not len(epochs):
        msg = (
            f"No annotation {condition!r} of {path.name} has all of {tmin} to {tmax} s "
            "around it, free of pieces marked as bad; shorten the window."
        )
        raise WindowError(msg)
    evoked = epochs.average()
    evoked.comment = condition
    return evoked


def _warn_about_annotations(part: mne.io.BaseRaw, path: Path) -> None:
    spoiled = [
        text for text in part.annotations.description if text.lower().startswith(_BAD)
    ]
    if spoiled:
        warnings.warn(
            f"The window of {path.name} holds pieces annotated {sorted(set(spoiled))}; "
            "choose another window, or clean the recording.",
            stacklevel=4,
        )


def _warn_about_gaps(path: Path) -> None:
    """Notice records that do not follow each other, which MNE joins."""
    if path.suffix.lower() not in (".edf", ".bdf"):
        return
    with path.open("rb") as file:
        file.seek(_GAPS_AT)
        if file.read(len(_GAPS[0])) in _GAPS:
            warnings.warn(
                f"{path.name} is a discontinuous recording (EDF+D): it may have gaps, "
                "after which times are wrong and signals jump. Export it without gaps "
                "(EDF+C).",
                stacklevel=4,
            )
