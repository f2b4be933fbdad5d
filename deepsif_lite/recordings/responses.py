"""Read the published recordings by name: evoked responses, spikes, EEG at rest."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import RecordingUnavailable, check_option
from .published import fetch

if TYPE_CHECKING:
    from mne import Evoked
    from numpy.typing import NDArray

VIRTUAL = "virtual subject"
"""What :func:`load_or` calls a recording that it had to simulate."""

_RESTING = "deepsif/anatomy/realistic_noise.mat"
_VEP = "deepsif/source/VEP/data1.mat"
_SEP = "fecnn/real_data/{}/EEG_avg.mat"
_ODDBALL = "mne-misc-data/ERP_CORE/P3/sub-{}_ses-P3_task-P3_ave.fif"
_SPIKE = "fast-ires/Spikes/Spike_I/Data_Avg.mat"
_SINGLE_SPIKES = "fast-ires/Spikes/Spike_I/data_spk_tot.mat"
_SPIKE_ELECTRODES = "fast-ires/Raw 273/273_ele_ERD.xyz"
_MNE_EVOKED = "mne/mne/io/tests/data/test-ave.fif.gz"

_PUBLISHED_SFREQ = 500.0  # Hz, of the VEP and of the patient
_VEP_TMIN = -0.2  # s
_SEP_SFREQ = 1200.0  # Hz
_SPIKE_SEARCH = slice(900, 1100)  # samples; the published peak is near sample 1000
_SPIKE_SAMPLES = 2001  # of each single spike, which is aligned in the middle

_SEP_SUBJECTS = ("A0206", "A1974")
_ODDBALL_SUBJECTS = ("015", "016", "017")
_ODDBALL_RESPONSES = ("target", "non-target", "difference")  # in the files' order
_N_SPIKES = 5
_MNE_CONDITIONS = {
    "mne-auditory-left": "Left Auditory",
    "mne-auditory-right": "Right Auditory",
    "mne-visual-left": "Left visual",
    "mne-visual-right": "Right visual",
}


def load_recording(name: str) -> Evoked:
    """Read a published recording.

    Parameters
    ----------
    name : str
        One of :func:`recording_names`:

        ``"vep"``: visual evoked potential, 64 BioSemi channels, unit arbitrary (the
        published file is scaled to maximum 1; one unit is stored as one microvolt).

        ``"sep-a0206"``, ``"sep-a1974"``: somatosensory evoked potentials of two
        healthy adults, 73 and 71 channels at 1200 Hz, -100 to 199 ms, average
        reference.

        ``"oddball-015-target"`` and so on, for subjects 015, 016, 017 and responses
        ``target``, ``non-target``, ``difference``: visual oddball (P3), 30 channels.

        ``"mne-auditory-left"``, ``"mne-auditory-right"``, ``"mne-visual-left"``,
        ``"mne-visual-right"``: 60 EEG channels, 3 to 6 epochs.

        ``"patient-spike"``: average of five interictal spikes of one patient, 75
        channels, time 0 at the peak of the global field power. ``"patient-spike-1"``
        to ``"patient-spike-5"``: each of them, aligned by the authors at time 0.

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

    Which nerve was stimulated is not said in the files of the somatosensory
    responses. Their first cortical peak (25.0 and 23.3 ms) is negative at P3 and
    positive at the front, so it was on the right side.

    The patient's sharp wave is positive at T7 in the published file, although
    interictal spikes are as a rule negative there. The polarity is kept as published.
    """
    recordings = _recordings()
    check_option("name", name, sorted(recordings))
    return recordings[name].read()


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
        return load_recording(name), _recordings()[name].whose
    except RecordingUnavailable:
        return virtual(), VIRTUAL


def load_resting_eeg() -> NDArray:
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
    return sorted(_recordings())


class _Recording(NamedTuple):
    """How to read a recording, and whose it is."""

    read: Callable[[], Evoked]
    whose: str


def _recordings() -> dict[str, _Recording]:
    found = {
        "vep": _Recording(_read_vep, "MNE sample subject"),
        "patient-spike": _Recording(_read_spike, "published patient"),
    }
    for number in range(1, _N_SPIKES + 1):
        read = partial(_read_single_spike, number)
        found[f"patient-spike-{number}"] = _Recording(read, "published patient")
    for subject in _SEP_SUBJECTS:
        read = partial(_read_sep, subject)
        found[f"sep-{subject.lower()}"] = _Recording(read, f"feCNN subject {subject}")
    for subject in _ODDBALL_SUBJECTS:
        for response in _ODDBALL_RESPONSES:
            read = partial(_read_oddball, subject, response)
            name, whose = f"oddball-{subject}-{response}", f"ERP CORE subject {subject}"
            found[name] = _Recording(read, whose)
    for name, condition in _MNE_CONDITIONS.items():
        found[name] = _Recording(partial(_read_mne, condition), "MNE test recording")
    return found


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


def _read_sep(subject: str) -> Evoked:
    import mne
    from scipy.io import loadmat

    path = fetch(_SEP.format(subject))
    average = loadmat(path, squeeze_me=True, struct_as_record=False)["EEG_avg"]
    # FieldTrip's struct: V, s, and cm with x to the front, y to the left, z up.
    front, left, up = average.elec.chanpos.T * 1e-2
    places = np.column_stack([-left, front, up])
    positions = dict(zip(average.elec.label, places, strict=True))
    ch_names = list(average.label)
    montage = mne.channels.make_dig_montage(
        {name: positions[name] for name in ch_names}, coord_frame="head"
    )
    evoked = mne.EvokedArray(
        average.avg,
        mne.create_info(ch_names, _SEP_SFREQ, "eeg"),
        tmin=float(average.time[0]),
        comment="somatosensory evoked potential",
        verbose=False,
    )
    return evoked.set_montage(montage)


def _read_oddball(subject: str, response: str) -> Evoked:
    import mne

    path = fetch(_ODDBALL.format(subject))
    which = _ODDBALL_RESPONSES.index(response)
    evoked = mne.read_evokeds(path, condition=which, verbose=False)
    evoked.comment = f"visual oddball, {response}"
    return evoked.pick("eeg")


def _read_spike() -> Evoked:
    from scipy.io import loadmat

    data = loadmat(fetch(_SPIKE))["Data_Avg"]
    peak = _SPIKE_SEARCH.start + int(np.argmax(data[:, _SPIKE_SEARCH].std(axis=0)))
    return _spike(data, peak, "interictal spike", _N_SPIKES)


def _read_single_spike(number: int) -> Evoked:
    from scipy.io import loadmat

    spikes = loadmat(fetch(_SINGLE_SPIKES))["data_spk_tot"].astype(float)
    first = (number - 1) * _SPIKE_SAMPLES
    data = spikes[:, first : first + _SPIKE_SAMPLES]
    return _spike(data, _SPIKE_SAMPLES // 2, f"interictal spike {number}", 1)


def _spike(data: NDArray, peak: int, comment: str, nave: int) -> Evoked:
    """Give the patient's data (75 channels, microvolts, average reference) an info."""
    import mne

    lines = fetch(_SPIKE_ELECTRODES).read_text(encoding="utf-8").splitlines()
    # A line holds: index, x (right), y (front), z (up) in mm, name.
    fields = [line.split() for line in lines if line.strip()]
    positions = {f[4]: np.array(f[1:4], dtype=float) * 1e-3 for f in fields}
    montage = mne.channels.make_dig_montage(positions, coord_frame="head")
    info = mne.create_info(list(positions), _PUBLISHED_SFREQ, "eeg")
    evoked = mne.EvokedArray(
        data * 1e-6,
        info,
        tmin=-peak / _PUBLISHED_SFREQ,
        nave=nave,
        comment=comment,
        verbose=False,
    )
    return evoked.set_montage(montage)


def _read_mne(condition: str) -> Evoked:
    import mne

    evoked = mne.read_evokeds(
        fetch(_MNE_EVOKED), condition=condition, baseline=(None, 0), verbose=False
    )
    return evoked.pick("eeg")
