"""Fetch and read the published files: recordings and the authors' anatomy.

The files belong to others and are never shipped. ``data/registry.json`` says for
each where it comes from (a pinned commit), its SHA-256, license and citation.
A file is looked up in the folder named by ``DEEPSIF_LITE_DATA``, then in the
cache, then on the network, and is checked by its SHA-256 each time.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

import numpy as np

from ..artifacts import read_shipped
from ..errors import ArtifactError, RecordingUnavailable, check_option

if TYPE_CHECKING:
    from mne import Evoked

VIRTUAL = "virtual subject"
"""What :func:`load_or` calls a recording that it had to simulate."""

_RESTING = "deepsif/anatomy/realistic_noise.mat"
_VEP = "deepsif/source/VEP/data1.mat"
_SPIKE = "fast-ires/Spikes/Spike_I/Data_Avg.mat"
_SPIKE_ELECTRODES = "fast-ires/Raw 273/273_ele_ERD.xyz"
_MNE_EVOKED = "mne/mne/io/tests/data/test-ave.fif.gz"
_PUBLISHED_SFREQ = 500.0  # Hz, both published recordings
_VEP_TMIN = -0.2  # s
_SPIKE_SEARCH = slice(900, 1100)  # samples; the published peak is near sample 1000
_DOWNLOAD_TIMEOUT = 10  # s without an answer
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MNE_CONDITIONS = {
    "mne-auditory-left": "Left Auditory",
    "mne-auditory-right": "Right Auditory",
    "mne-visual-left": "Left visual",
    "mne-visual-right": "Right visual",
}
_LABELS = {"vep": "MNE sample subject", "patient-spike": "published patient"}
_LABELS |= dict.fromkeys(_MNE_CONDITIONS, "MNE test recording")


@lru_cache(maxsize=1)
def registry() -> dict[str, dict]:
    """Return the record of every published file, by name.

    Returns
    -------
    dict of str to dict
        Keys ``url``, ``sha256``, ``bytes``, ``license``, ``citation``,
        ``description``.

    Raises
    ------
    ArtifactError
        The registry is damaged, an entry could write outside its folder, or its
        content could not be checked.
    """
    return read_registry(read_shipped("registry.json"))


def read_registry(text: str) -> dict[str, dict]:
    """Read a registry, and refuse entries that could do harm.

    Parameters
    ----------
    text : str
        JSON.

    Returns
    -------
    dict of str to dict

    Raises
    ------
    ArtifactError
        It is no JSON, a name leads outside its folder, an address is not https, or a
        SHA-256 is missing.
    """
    try:
        records = json.loads(text)
        faults = {name: _fault(name, record) for name, record in records.items()}
    except (ValueError, AttributeError, TypeError) as error:
        msg = f"registry.json is damaged ({error}); reinstall deepsif-lite."
        raise ArtifactError(msg) from error
    for name, fault in faults.items():
        if fault:
            msg = f"registry.json, entry {name!r}: {fault}; reinstall deepsif-lite."
            raise ArtifactError(msg)
    return records


def _fault(name: str, record: dict) -> str | None:
    windows = PureWindowsPath(name)  # takes both kinds of slashes
    leads_out = ".." in windows.parts or windows.anchor or PurePosixPath(name).anchor
    if leads_out or not name:
        return "its name leads outside the folder"
    if not str(record.get("url")).startswith("https://"):
        return "its address is not https"
    if not _SHA256.fullmatch(str(record.get("sha256"))):
        return "it has no SHA-256"
    return None


def find(name: str) -> Path | None:
    """Look a published file up on this machine only.

    Parameters
    ----------
    name : str
        A key of :func:`registry`.

    Returns
    -------
    pathlib.Path or None
        None where the file is neither in ``DEEPSIF_LITE_DATA`` nor, whole, in the
        cache.

    Raises
    ------
    KeyError
        The name is not in the registry.
    RecordingUnavailable
        ``DEEPSIF_LITE_DATA`` holds a file of that name whose SHA-256 differs.
    """
    import pooch

    record = _record(name)
    named = os.environ.get("DEEPSIF_LITE_DATA")
    if named and (path := Path(named) / name).is_file():
        found = pooch.file_hash(str(path), alg="sha256")
        if found != record["sha256"]:
            msg = (
                f"{path} is not the published file {name!r}: its SHA-256 is {found}, "
                f"expected {record['sha256']}. Delete it, or replace it by "
                f"{record['url']}."
            )
            raise RecordingUnavailable(msg)
        return path
    path = _cache_dir() / name
    whole = path.is_file() and pooch.file_hash(str(path)) == record["sha256"]
    return path if whole else None


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
        The file is not on this machine and could not be downloaded, or
        ``DEEPSIF_LITE_DATA`` holds a file of that name with another content.
    """
    return find(name) or _download(name)


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
    OptionError
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
    check_option("name", name, sorted(readers))
    return readers[name]()


def load_or(name: str, virtual: Callable[[], Evoked]) -> tuple[Evoked, str]:
    """Read a published recording, or make another where it cannot be reached.

    Parameters
    ----------
    name : str
        As for :func:`load_recording`.
    virtual : callable
        Returns the recording to show instead; called only where it is needed.

    Returns
    -------
    recording : mne.Evoked
    label : str
        Whose it is, for figures: :data:`VIRTUAL` where it was made.

    Raises
    ------
    OptionError
        The name is unknown.
    """
    try:
        return load_recording(name), _LABELS[name]
    except RecordingUnavailable:
        return virtual(), VIRTUAL


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
    readers = {"vep": _read_vep, "patient-spike": _read_spike}
    for name, condition in _MNE_CONDITIONS.items():
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


def _cache_dir() -> Path:
    """Return where downloads are kept.

    Raises
    ------
    RecordingUnavailable
        The user has no home.
    """
    import pooch

    try:
        folder = Path(pooch.os_cache("deepsif_lite"))
    except RuntimeError:
        folder = Path("~")
    if not folder.is_absolute():  # so older versions of platformdirs tell it
        msg = (
            "Published files have no place on this machine: the user has no home. Set "
            "HOME to a folder, or DEEPSIF_LITE_DATA to one that holds the files."
        )
        raise RecordingUnavailable(msg)
    return folder


def _download(name: str) -> Path:
    """Download into the cache; a damaged file there is replaced."""
    import pooch

    record = _record(name)
    pooch.get_logger().setLevel("WARNING")  # it prints where the cache lies
    try:
        path = pooch.retrieve(
            record["url"],
            known_hash=f"sha256:{record['sha256']}",
            fname=name,
            path=_cache_dir(),
            downloader=pooch.HTTPDownloader(timeout=_DOWNLOAD_TIMEOUT),
        )
    except (OSError, ValueError) as error:  # no network, or another content
        # What the network says is long and does not help.
        on_disk = isinstance(error, PermissionError) or getattr(error, "errno", None)
        named = os.environ.get("DEEPSIF_LITE_DATA") or "a folder of your choice"
        msg = (
            f"The published file {name!r} is not on this machine and could not be "
            f"downloaded ({error if on_disk else type(error).__name__}). Get "
            f"{record['url']} (SHA-256 {record['sha256']}, {record['bytes']} bytes), put "
            f"it at {name!r} inside {named} and set DEEPSIF_LITE_DATA to that folder."
        )
        raise RecordingUnavailable(msg) from error
    return Path(path)
