"""Fetch and read the published files: recordings and the authors' anatomy.

The files belong to others and are never shipped. ``data/registry.json`` says for
each where it comes from (a pinned commit), its SHA-256, license and citation.
A file is looked up in the folder named by ``DEEPSIF_LITE_DATA``, then in the
cache, then on the network, and is checked by its SHA-256 each time.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import RecordingUnavailable
from ..paths import data_dir

if TYPE_CHECKING:
    from mne import Evoked

_RESTING = "deepsif/anatomy/realistic_noise.mat"
_VEP = "deepsif/source/VEP/data1.mat"
_SPIKE = "fast-ires/Spikes/Spike_I/Data_Avg.mat"
_SPIKE_ELECTRODES = "fast-ires/Raw 273/273_ele_ERD.xyz"
_MNE_EVOKED = "mne/mne/io/tests/data/test-ave.fif.gz"
_PUBLISHED_SFREQ = 500.0  # Hz, both published recordings
_VEP_TMIN = -0.2  # s
_SPIKE_SEARCH = slice(900, 1100)  # samples; the published peak is near sample 1000
_DOWNLOAD_TIMEOUT = 10  # s without an answer


@lru_cache(maxsize=1)
def registry() -> dict[str, dict]:
    """Return the record of every published file, by name.

    Returns
    -------
    dict of str to dict
        Keys ``url``, ``sha256``, ``bytes``, ``license``, ``citation``,
        ``description``.
    """
    return json.loads((data_dir() / "registry.json").read_text(encoding="utf-8"))


def find(name: str) -> Path | None:
    """Look a published file up on this machine only.

    Parameters
    ----------
    name : str
        A key of :func:`registry`.

    Returns
    -------
    pathlib.Path or None
        None where the file is on neither ``DEEPSIF_LITE_DATA`` nor the cache.

    Raises
    ------
    KeyError
        The name is not in the registry.
    RecordingUnavailable
        A file of that name is there, but its SHA-256 differs.
    """
    record = _record(name)
    for folder in _local_folders():
        path = folder / name
        if path.is_file():
            _check_hash(path, name, record)
            return path
    return None


def fetch(name: str) -> Path:
    """Return the path of a published file, downloading it where needed.

    Parameters
    ----------
    name : str
        A key of :func:`registry`, such as ``"deepsif/source/VEP/data1.mat"``.

    Returns
    -------
    pathlib.Path
        A file whose SHA-256 has been checked.

    Raises
    ------
    KeyError
        The name is not in the registry.
    RecordingUnavailable
        The file is not on this machine and could not be downloaded, or a file
        of that name has another content.
    """
    path = find(name)
    return path if path is not None else _download(name)


def load_recording(name: str) -> Evoked:
    """Read a published recording.

    Parameters
    ----------
    name : str
        ``"vep"``: visual evoked potential, 64 BioSemi channels, unit arbitrary
        (the published file is scaled to maximum 1; one unit is stored as one
        microvolt). ``"patient-spike"``: average of five interictal spikes of one
        patient, 75 channels, time 0 at the peak of the global field power.
        ``"mne-auditory-left"``, ``"mne-auditory-right"``, ``"mne-visual-left"``,
        ``"mne-visual-right"``: 60 EEG channels, 3 to 6 epochs.

    Returns
    -------
    mne.Evoked
        EEG channels only, with positions.

    Raises
    ------
    ValueError
        The name is unknown.
    RecordingUnavailable
        A file is needed that is not on this machine and cannot be downloaded.

    Notes
    -----
    The published VEP file holds no channel names. That its columns are in BioSemi's
    order A1-A32, B1-B32 is inferred: under this order neighboring channels
    correlate at 0.87 on average, against at most 0.21 under 200 random orders.

    The patient's sharp wave is positive at T7 in the published file, although
    interictal spikes are as a rule negative there. The polarity is kept as published.
    """
    readers = _readers()
    if name not in readers:
        msg = f"Unknown recording {name!r}; choose one of {sorted(readers)}."
        raise ValueError(msg)
    return readers[name]()


def load_resting_eeg() -> np.ndarray:
    """Read the authors' resting EEG, the noise of their robustness tests.

    Returns
    -------
    array of shape (4, 500, 75)
        Four clips of one second at 500 Hz, in the channel order of ``template-75``;
        no mean over time, unit not given.

    Raises
    ------
    RecordingUnavailable
        The file is not on this machine and cannot be downloaded.
    """
    from scipy.io import loadmat

    return loadmat(fetch(_RESTING))["data"]


def recording_names() -> list[str]:
    """Return the names that :func:`load_recording` knows."""
    return sorted(_readers())


def _readers() -> dict:
    mne_names = {
        "mne-auditory-left": "Left Auditory",
        "mne-auditory-right": "Right Auditory",
        "mne-visual-left": "Left visual",
        "mne-visual-right": "Right visual",
    }
    readers = {"vep": _read_vep, "patient-spike": _read_spike}
    for name, condition in mne_names.items():
        readers[name] = partial(_read_mne, condition)
    return readers


def _read_vep() -> Evoked:
    import mne
    from scipy.io import loadmat

    data = loadmat(fetch(_VEP))["data"].T
    montage = mne.channels.make_standard_montage("biosemi64")
    info = mne.create_info(montage.ch_names, _PUBLISHED_SFREQ, "eeg")
    evoked = mne.EvokedArray(
        data * 1e-6, info, tmin=_VEP_TMIN, comment="VEP (unit arbitrary)", verbose=False
    )
    return evoked.set_montage(montage)


def _read_spike() -> Evoked:
    import mne
    from scipy.io import loadmat

    data = loadmat(fetch(_SPIKE))["Data_Avg"]  # microvolts, average reference
    lines = fetch(_SPIKE_ELECTRODES).read_text(encoding="utf-8").splitlines()
    # A line holds: index, x (right), y (front), z (up) in mm, name.
    fields = [line.split() for line in lines if line.strip()]
    positions = {f[4]: np.array(f[1:4], dtype=float) * 1e-3 for f in fields}
    montage = mne.channels.make_dig_montage(positions, coord_frame="head")
    info = mne.create_info(list(positions), _PUBLISHED_SFREQ, "eeg")
    peak = _SPIKE_SEARCH.start + int(np.argmax(data[:, _SPIKE_SEARCH].std(axis=0)))
    evoked = mne.EvokedArray(
        data * 1e-6,
        info,
        tmin=-peak / _PUBLISHED_SFREQ,
        nave=5,
        comment="interictal spike",
        verbose=False,
    )
    return evoked.set_montage(montage)


def _read_mne(condition: str) -> Evoked:
    import mne

    evoked = mne.read_evokeds(
        fetch(_MNE_EVOKED), condition=condition, baseline=(None, 0), verbose=False
    )
    return evoked.pick("eeg")


def _record(name: str) -> dict:
    try:
        return registry()[name]
    except KeyError:
        msg = f"{name!r} is not in the registry; known: {sorted(registry())}."
        raise KeyError(msg) from None


def _local_folders() -> list[Path]:
    named = os.environ.get("DEEPSIF_LITE_DATA")
    return [*([Path(named)] if named else []), _cache_dir()]


def _cache_dir() -> Path:
    import pooch

    return Path(pooch.os_cache("deepsif_lite"))


def _check_hash(path: Path, name: str, record: dict) -> None:
    import pooch

    found = pooch.file_hash(str(path), alg="sha256")
    if found != record["sha256"]:
        msg = (
            f"{path} is not the published file {name!r}: its SHA-256 is {found}, "
            f"expected {record['sha256']}. Delete it, or replace it by {record['url']}."
        )
        raise RecordingUnavailable(msg)


def _download(name: str) -> Path:
    import pooch
    import requests

    record = _record(name)
    cache = pooch.create(
        path=_cache_dir(),
        base_url="",
        registry={name: f"sha256:{record['sha256']}"},
        urls={name: record["url"]},
    )
    downloader = pooch.HTTPDownloader(timeout=_DOWNLOAD_TIMEOUT)
    pooch.get_logger().setLevel("WARNING")  # it prints where the cache lies
    try:
        return Path(cache.fetch(name, downloader=downloader))
    except (requests.RequestException, OSError, ValueError) as error:
        named = os.environ.get("DEEPSIF_LITE_DATA") or "a folder of your choice"
        msg = (
            f"The published file {name!r} is not on this machine and could not be "
            f"downloaded ({type(error).__name__}). Get {record['url']} (SHA-256 "
            f"{record['sha256']}, {record['bytes']} bytes), put it at {name!r} inside "
            f"{named} and set DEEPSIF_LITE_DATA to that folder."
        )
        raise RecordingUnavailable(msg) from error
