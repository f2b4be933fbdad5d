"""Read patients: the published one, and folders of anybody's own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ..cortex.surface import load_cortex
from ..errors import FileError
from ..recordings.responses import load_recording
from .patient import Intracranial, Patient
from .steps import average_spikes, filtered

if TYPE_CHECKING:
    import mne
    import pandas as pd

    from ..cortex.surface import Cortex

N_PUBLISHED = 5
_QUIET = (None, -0.6)  # s before the published spikes
_NEAR = 5e-3  # m; a region whose center is as near to resected tissue is resected
_SHARE = 0.5  # of a region's vertices that a label must hold
_POINT = ["x", "y", "z"]


def published_patient() -> Patient:
    """Return the patient published with FAST-IRES.

    Returns
    -------
    Patient
        Five spikes and their published average, filtered to the paper's band; without
        resection and onset zone, which are not published as regions.

    Raises
    ------
    RecordingUnavailable
        The recording is not on this machine and cannot be downloaded.

    References
    ----------
    Sohrabpour et al. (2020), Nature Communications 11, 1946.
    """
    import mne

    singles = [load_recording(f"patient-spike-{k + 1}") for k in range(N_PUBLISHED)]
    first = singles[0]
    spikes = mne.EpochsArray(
        np.stack([single.data for single in singles]),
        first.info,
        tmin=first.times[0],
        verbose="error",
    )
    return Patient(
        name="FAST-IRES patient",
        evoked=filtered(load_recording("patient-spike")),
        virtual=False,
        outcome="seizure-free after left anterior temporal lobectomy",
        spikes=spikes,
        quiet=_QUIET,
    )


def read_patient(folder: str | Path, cortex: Cortex | None = None) -> Patient:
    """Read a patient's folder.

    Parameters
    ----------
    folder : str | path
        What it may hold, the notes say.
    cortex : Cortex | None
        Regions of the resection; by default the template's.

    Returns
    -------
    Patient

    Raises
    ------
    FileNotFoundError
        There is no such folder, or no spikes in it.
    FileError
        A file cannot be read, or lacks something.

    Notes
    -----
    All files of a folder but the spikes are optional:

    - the spikes, ``spikes.fif`` (epochs or an average, any name that starts with
      ``spikes`` and ends in ``.fif``), ``spikes.mat`` or ``spikes.csv``. A MAT file holds
      ``data`` (channels x times, or channels x times x spikes), ``sfreq`` (Hz),
      ``ch_names`` and ``peak`` (s from the first sample; by default the middle). A CSV file
      holds the average: ``time`` (s, 0 at the peak), then one column a channel. Values of
      both are in microvolts, electrodes have 10-10 names;
    - ``patient.json``: ``name``, ``outcome``, ``age``, ``quiet`` (two times, s);
    - ``resection.csv``: a column ``region`` (parcel numbers), or points ``x``, ``y``, ``z``
      of the resected tissue; or ``lh.resection.label``, ``rh.resection.label`` on
      fsaverage5;
    - ``contacts.csv``: ``name``, ``x``, ``y``, ``z``, ``onset`` (0 or 1), perhaps ``kind``;
    - ``contacts.mat``: ``data`` (contacts x times x spikes, microvolts), ``times`` (s).

    Coordinates are in millimeters, fsaverage RAS (about MNI).
    """
    folder = Path(folder)
    facts = facts_of(folder)
    return patient_of(folder, *_read_spikes(folder), facts, cortex)


def patient_of(
    folder: Path,
    spikes: mne.BaseEpochs | None,
    evoked: mne.Evoked,
    facts: dict,
    cortex: Cortex | None = None,
) -> Patient:
    """Put a patient together from spikes and what else a folder holds.

    Parameters
    ----------
    folder : path
        As of :func:`read_patient`.
    spikes : mne.Epochs | None
    evoked : mne.Evoked
        Their average.
    facts : dict
        As of ``patient.json``.
    cortex : Cortex | None
        Regions of the resection; by default the template's.

    Returns
    -------
    Patient

    Raises
    ------
    FileError
        A file cannot be read, or lacks something.
    """
    cortex = load_cortex() if cortex is None else cortex
    inside = _read_contacts(folder)
    zone = None if inside is None else inside.regions(cortex, onset_only=True)
    quiet = facts.get("quiet")
    return Patient(
        name=facts.get("name", folder.name),
        evoked=evoked,
        virtual=False,
        outcome=facts.get("outcome", ""),
        spikes=spikes,
        quiet=None if quiet is None else (quiet[0], quiet[1]),
        resection=_read_resection(folder, cortex),
        onset_zone=None if zone is None or not len(zone) else np.unique(zone),
        intracranial=inside,
        age=facts.get("age"),
    )


def read_patients(folder: str | Path, cortex: Cortex | None = None) -> list[Patient]:
    """Read every patient of a folder of folders, such as a deposit, by name.

    Parameters and errors as of :func:`read_patient`; folders that hold no spikes are
    left out.
    """
    folders = sorted(path for path in Path(folder).iterdir() if path.is_dir())
    return [read_patient(path, cortex) for path in folders if _spike_files(path)]


def facts_of(folder: Path) -> dict:
    """Return what ``patient.json`` of a folder says, where it is there."""
    path = folder / "patient.json"
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{path.name} of {folder.name} is no JSON ({error}); mend it."
        raise FileError(msg) from error


def _spike_files(folder: Path) -> list[Path]:
    endings = (".fif", ".fif.gz", ".mat", ".csv")
    return [p for p in sorted(folder.glob("spikes*")) if p.name.endswith(endings)]


def _read_spikes(folder: Path) -> tuple[mne.BaseEpochs | None, mne.Evoked]:
    import mne

    from ..recordings.files import read_evoked

    found = _spike_files(folder)
    if not found:
        msg = f"{folder} holds no spikes.fif, spikes.mat or spikes.csv."
        raise FileNotFoundError(msg)
    path = found[0]
    if path.suffix == ".mat":
        spikes = _epochs_of_mat(path)
    elif path.suffix == ".csv":
        return None, _evoked_of_csv(path)
    else:
        try:
            spikes = mne.read_epochs(path, verbose="error")
        except ValueError:  # an average
            return None, read_evoked(path)
    return spikes, average_spikes(spikes)


def _epochs_of_mat(path: Path) -> mne.BaseEpochs:
    import mne

    stored = _loadmat(path, ("data", "sfreq", "ch_names"))
    data = np.atleast_3d(np.asarray(stored["data"], float))
    sfreq = float(np.squeeze(stored["sfreq"]))
    names = [str(name).strip() for name in np.ravel(stored["ch_names"])]
    _check_names(path, names, len(data))
    middle = (data.shape[1] // 2) / sfreq
    peak = float(np.squeeze(stored.get("peak", middle)))
    info = mne.create_info(names, sfreq, "eeg")
    return mne.EpochsArray(
        1e-6 * np.moveaxis(data, 2, 0), info, tmin=-peak, verbose="error"
    )


def _evoked_of_csv(path: Path) -> mne.Evoked:
    import mne

    table = _table(path, ["time"])
    times = table.pop("time").to_numpy()
    sfreq = (len(times) - 1) / (times[-1] - times[0])
    info = mne.create_info(list(table.columns), sfreq, "eeg")
    data = 1e-6 * table.to_numpy(float).T
    return mne.EvokedArray(data, info, tmin=times[0], verbose="error")


def _read_resection(folder: Path, cortex: Cortex) -> NDArray | None:
    labels = sorted(folder.glob("[lr]h.resection.label"))
    if labels:
        return _regions_of_labels(labels, cortex)
    path = folder / "resection.csv"
    if not path.is_file():
        return None
    table = _table(path, [])
    if "region" in table:
        return np.unique(table["region"].to_numpy(int))
    points = 1e-3 * _table(path, _POINT)[_POINT].to_numpy(float)
    return np.flatnonzero(cdist(cortex.centroids, points).min(axis=1) < _NEAR)


def _regions_of_labels(paths: list[Path], cortex: Cortex) -> NDArray:
    from nibabel.freesurfer import read_label

    inside = np.zeros(len(cortex.vertices), bool)
    for path in paths:
        first = 0 if path.name.startswith("lh") else cortex.n_left
        inside[first + read_label(path)] = True
    held = cortex.region_of_vertex >= 0
    region = cortex.region_of_vertex[held]
    counts = np.bincount(region, minlength=cortex.n_regions)
    shares = np.bincount(region, inside[held], cortex.n_regions) / counts
    return np.flatnonzero(shares > _SHARE)


def _read_contacts(folder: Path) -> Intracranial | None:
    path = folder / "contacts.csv"
    if not path.is_file():
        return None
    table = _table(path, ["name", *_POINT, "onset"])
    spikes = times = None
    if (recorded := folder / "contacts.mat").is_file():
        stored = _loadmat(recorded, ("data", "times"))
        spikes = 1e-6 * np.moveaxis(np.atleast_3d(stored["data"]), 2, 0)
        times = np.ravel(stored["times"])
    return Intracranial(
        names=[str(name) for name in table["name"]],
        places=1e-3 * table[_POINT].to_numpy(float),
        in_onset_zone=table["onset"].to_numpy(bool),
        kinds=[str(kind) for kind in table["kind"]] if "kind" in table else [],
        spikes=spikes,
        times=times,
    )


def _table(path: Path, columns: list[str]) -> pd.DataFrame:
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        msg = f"{path.name} cannot be read as a table ({error})."
        raise FileError(msg) from error
    missing = [name for name in columns if name not in table]
    if missing:
        msg = f"{path.name} lacks columns {missing}; it has {list(table.columns)}."
        raise FileError(msg)
    return table


def _loadmat(path: Path, names: tuple[str, ...]) -> dict:
    from scipy.io import loadmat

    try:
        stored = loadmat(path, squeeze_me=False, chars_as_strings=True)
    except Exception as error:  # SciPy raises anything of what is no MAT file
        msg = f"{path.name} cannot be read ({error}); save it with '-v7'."
        raise FileError(msg) from error
    missing = [name for name in names if name not in stored]
    if missing:
        msg = f"{path.name} lacks {missing}; see the layout of a patient's folder."
        raise FileError(msg)
    if "ch_names" in stored:  # cells of MATLAB come as arrays of one string
        names_of = [np.squeeze(name).item() for name in np.ravel(stored["ch_names"])]
        stored["ch_names"] = np.array([str(name) for name in names_of])
    return stored


def _check_names(path: Path, names: list[str], n_channels: int) -> None:
    if len(names) != n_channels:
        msg = f"{path.name}: {len(names)} ch_names for {n_channels} channels of data."
        raise FileError(msg)
