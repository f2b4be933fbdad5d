"""Patients' folders, on files that the test makes."""

from __future__ import annotations

import json

import mne
import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from deepsif_lite.cortex import load_cortex
from deepsif_lite.errors import FileError
from deepsif_lite.evaluation import (
    image_averages,
    image_singles,
    published_patient,
    read_patient,
    read_patients,
)

NAMES = ["Fp1", "Fz", "Cz", "Oz", "T7", "T8"]
SFREQ = 250.0


@pytest.fixture
def data():
    """Three spikes, (n_spikes, n_channels, n_times), µV, peak in the middle."""
    times = (np.arange(501) - 250) / SFREQ
    wave = np.exp(-((times / 0.03) ** 2))
    sizes = np.array([40.0, 60.0, 50.0])
    field = np.array([1.0, -0.5, 0.2, -0.3, 0.7, -1.1])
    return sizes[:, None, None] * field[:, None] * wave


def check(patient, data):
    assert patient.evoked.ch_names == NAMES
    at_peak = patient.evoked.data[:, np.abs(patient.evoked.times).argmin()]
    wanted = 1e-6 * data.mean(axis=0).max(axis=1, initial=0)
    positive = wanted > 0
    np.testing.assert_allclose(at_peak[positive], wanted[positive], rtol=0.15)
    assert not patient.virtual


def test_matlab(tmp_path, data):
    cells = np.array(NAMES, dtype=object)[:, None]
    stored = {"data": np.moveaxis(data, 0, 2), "sfreq": SFREQ, "ch_names": cells}
    savemat(tmp_path / "spikes.mat", stored)
    patient = read_patient(tmp_path)
    assert patient.n_spikes == 3
    check(patient, data)
    np.testing.assert_allclose(patient.spikes.get_data(), 1e-6 * data)


def test_fif_of_epochs_and_of_an_average(tmp_path, data):
    info = mne.create_info(NAMES, SFREQ, "eeg")
    epochs = mne.EpochsArray(1e-6 * data, info, tmin=-1.0, verbose="error")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    epochs.save(tmp_path / "a" / "spikes-epo.fif", verbose="error")
    epochs.average().save(tmp_path / "b" / "spikes-ave.fif", verbose="error")
    (tmp_path / "empty").mkdir()
    first, second = read_patients(tmp_path)
    assert (first.name, second.name) == ("a", "b")
    check(first, data)
    check(second, data)
    assert second.spikes is None
    assert second.n_spikes == 3


def test_csv_with_all_that_may_be_known(tmp_path, data):
    cortex = load_cortex()
    times = (np.arange(501) - 250) / SFREQ
    table = pd.DataFrame(data.mean(axis=0).T, columns=NAMES)
    table.insert(0, "time", times)
    table.to_csv(tmp_path / "spikes.csv", index=False)
    facts = {"name": "P", "outcome": "ILAE 1", "age": 30, "quiet": [-1.0, -0.6]}
    (tmp_path / "patient.json").write_text(json.dumps(facts))
    points = 1e3 * cortex.centroids[[10, 20]]
    pd.DataFrame(points, columns=["x", "y", "z"]).to_csv(tmp_path / "resection.csv")
    contacts = pd.DataFrame(points, columns=["x", "y", "z"])
    contacts = contacts.assign(name=["A1", "A2"], onset=[1, 0])
    contacts.to_csv(tmp_path / "contacts.csv", index=False)
    inside = {"data": np.ones((2, 9, 4)), "times": np.arange(9) / 100}
    savemat(tmp_path / "contacts.mat", inside)
    patient = read_patient(tmp_path)
    check(patient, data)
    assert (patient.name, patient.age, patient.quiet) == ("P", 30, (-1.0, -0.6))
    assert {10, 20} <= set(patient.resection)
    assert len(patient.resection) < 8
    assert list(patient.onset_zone) == [10]
    assert patient.intracranial.spikes.shape == (4, 2, 9)
    assert patient.intracranial.spikes.max() == pytest.approx(1e-6)


def test_labels_of_the_resection(tmp_path, data):
    cortex = load_cortex()
    test_matlab(tmp_path, data)
    wanted = [5, cortex.n_regions - 3]
    for hemisphere, region in zip(("lh", "rh"), wanted, strict=True):
        vertices = np.flatnonzero(cortex.region_of_vertex == region)
        vertices = vertices - (0 if hemisphere == "lh" else cortex.n_left)
        label = mne.Label(np.sort(vertices), hemi=hemisphere, subject="fsaverage")
        label.save(tmp_path / f"{hemisphere}.resection.label")
    assert list(read_patient(tmp_path).resection) == wanted


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("spikes.csv", "Fz,Cz\n1,2\n", "lacks columns"),
        ("spikes.mat", "no MATLAB", "cannot be read"),
        ("patient.json", "{", "no JSON"),
    ],
)
def test_faults_are_named(tmp_path, data, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(FileError, match=message):
        read_patient(tmp_path)


def test_a_folder_without_spikes(tmp_path):
    with pytest.raises(FileNotFoundError, match="no spikes"):
        read_patient(tmp_path)


@pytest.mark.published(
    "fast-ires/Spikes/Spike_I/Data_Avg.mat",
    "fast-ires/Spikes/Spike_I/data_spk_tot.mat",
    "fast-ires/Raw 273/273_ele_ERD.xyz",
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # doubts about single spikes
def test_published_patient():
    patient = published_patient()
    assert not patient.virtual
    assert patient.resection is None
    assert patient.n_spikes == 5
    assert patient.evoked.data.shape == (75, 2001)
    singles = image_singles(patient, ["sloreta"])
    assert list(singles["spike"]) == [1, 2, 3, 4, 5]
    averages = image_averages(patient, [5, 6])
    assert list(averages["count"]) == [5]
