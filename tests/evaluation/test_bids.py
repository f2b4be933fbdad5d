"""Patients of BIDS datasets that the tests write by MNE-BIDS and MNE."""

from __future__ import annotations

import mne
import numpy as np
import pandas as pd
import pytest

from deepsif_lite.cortex import load_cortex
from deepsif_lite.errors import FileError
from deepsif_lite.evaluation import read_bids_patient
from deepsif_lite.head import TEN_TWENTY

mne_bids = pytest.importorskip("mne_bids")
pytestmark = pytest.mark.filterwarnings("ignore:.*(montage|coordinate frame|EDF)")

SFREQ, ONSETS = 200.0, (2.0, 4.0, 6.5)


@pytest.fixture(scope="module")
def raw():
    """Nine seconds of noise with three spikes, marked."""
    times = np.arange(int(9 * SFREQ)) / SFREQ
    course = sum(np.exp(-0.5 * ((times - t) / 0.02) ** 2) for t in ONSETS)
    rng = np.random.default_rng(0)
    gains = np.linspace(-1, 1, len(TEN_TWENTY))[:, None]
    data = 50e-6 * gains * course + 1e-6 * rng.standard_normal((len(gains), len(times)))
    raw = mne.io.RawArray(
        data, mne.create_info(list(TEN_TWENTY), SFREQ, "eeg"), verbose="error"
    )
    return raw.set_annotations(
        mne.Annotations([*ONSETS, 8], 0, ["spike"] * 3 + ["sleep"])
    )


def write_raw(raw, root, task="rest"):
    pytest.importorskip("edfio")
    path = mne_bids.BIDSPath(subject="07", task=task, datatype="eeg", root=root)
    mne_bids.write_raw_bids(
        raw, path, format="EDF", allow_preload=True, overwrite=True, verbose="error"
    )


def write_derivative(raw, root, name="epo"):
    folder = root / "sub-07" / "eeg"
    folder.mkdir(parents=True, exist_ok=True)
    marks, codes = mne.events_from_annotations(raw, verbose="error")
    epochs = mne.Epochs(
        raw, marks, {"spike": codes["spike"]}, -1, 0.5, baseline=None, verbose="error"
    )
    path = folder / f"sub-07_task-rest_proc-clean_{name}.fif"
    (epochs if name == "epo" else epochs.average()).save(path, verbose="error")
    return epochs


def test_spikes_marked_in_a_recording(tmp_path, raw):
    write_raw(raw, tmp_path)
    table = pd.read_csv(tmp_path / "participants.tsv", sep="\t", dtype=str)
    table.assign(age="41").to_csv(tmp_path / "participants.tsv", sep="\t", index=False)
    patient = read_bids_patient(tmp_path, "07")
    assert (patient.name, patient.age, patient.virtual) == ("sub-07", 41.0, False)
    assert patient.n_spikes == len(ONSETS)
    assert patient.evoked.ch_names == list(TEN_TWENTY)
    # EDF rounds to its own steps; the filter of averages takes a little of the peak.
    at_peak = patient.spikes.average().get_data()[:, int(SFREQ)]
    np.testing.assert_allclose(
        at_peak, 50e-6 * np.linspace(-1, 1, len(TEN_TWENTY)), atol=3e-6
    )
    with pytest.raises(FileError, match="no event 'ied'; its events are"):
        read_bids_patient(tmp_path, "07", event="ied")


def test_epochs_of_a_derivative_come_first(tmp_path, raw):
    write_raw(raw, tmp_path)
    root = tmp_path / "derivatives" / "cleaning"
    epochs = write_derivative(raw, root)
    region = 120
    pd.DataFrame({"region": [region]}).to_csv(
        root / "sub-07" / "resection.csv", index=False
    )
    write_raw(raw, root)  # beside the epochs, and not taken
    patient = read_bids_patient(root, "07", cortex=load_cortex())
    np.testing.assert_allclose(patient.spikes.get_data(), epochs.get_data(), rtol=1e-5)
    assert patient.resection.tolist() == [region]


def test_an_average_of_a_derivative(tmp_path, raw):
    average = write_derivative(raw, tmp_path, "ave").average()
    patient = read_bids_patient(tmp_path, "07", task="rest", processing="clean")
    assert patient.spikes is None
    assert patient.n_spikes == len(ONSETS)
    np.testing.assert_allclose(patient.evoked.data, average.data, rtol=1e-5)


def test_what_is_not_there_or_not_one_is_refused(tmp_path, raw):
    write_raw(raw, tmp_path)
    write_raw(raw, tmp_path, task="sleep")
    with pytest.raises(FileError, match="several recordings: .*task=, session="):
        read_bids_patient(tmp_path, "07")
    assert read_bids_patient(tmp_path, "07", task="sleep").n_spikes == len(ONSETS)
    with pytest.raises(FileNotFoundError, match="of subject '08'"):
        read_bids_patient(tmp_path, "08")
    with pytest.raises(FileNotFoundError, match="no folder"):
        read_bids_patient(tmp_path / "nowhere", "07")
