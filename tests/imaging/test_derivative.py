from __future__ import annotations

import json

import mne
import numpy as np
import pandas as pd
import pytest

import deepsif_lite as dl
from deepsif_lite.errors import OptionError
from deepsif_lite.imaging import region_labels, write_courses, write_derivative


@pytest.fixture(scope="module")
def recording():
    head = dl.load_head_model("template-64")
    course = 1e-8 * np.hanning(60)
    evoked = mne.EvokedArray(
        np.outer(head.leadfield[:, 100], course), head.info, tmin=-0.05, verbose="error"
    )
    return evoked, dl.image(evoked, "sloreta", head)


def test_courses_as_a_table(tmp_path, recording):
    _, image = recording
    path = write_courses(image, tmp_path / "courses.csv")
    table = pd.read_csv(path)
    assert list(table.columns[1:]) == region_labels(image)
    np.testing.assert_allclose(table["time"], image.times, atol=1e-5)
    np.testing.assert_allclose(table.iloc[:, 1:].T, image.activity, rtol=1e-4)


def test_courses_for_eeglab_as_mne_reads_them(tmp_path, recording):
    _, image = recording
    path = write_courses(image, tmp_path / "courses.set")
    raw = mne.io.read_raw_eeglab(path, verbose="error")
    assert raw.ch_names == region_labels(image)
    assert raw.info["sfreq"] == pytest.approx(image.sfreq)
    data = 1e6 * raw.get_data()  # MNE takes the values for microvolts
    np.testing.assert_allclose(data, image.activity, rtol=1e-4, atol=1e-6)


def test_other_endings_are_refused(tmp_path, recording):
    with pytest.raises(OptionError, match="ending"):
        write_courses(recording[1], tmp_path / "courses.txt")


def test_derivative_of_a_bids_dataset(tmp_path, recording):
    evoked, image = recording
    for subject in ("01", "02"):
        files = write_derivative(image, evoked, tmp_path, subject=subject, task="rest")
        assert all(path.is_file() for path in files)
    description = json.loads((tmp_path / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Version"] == dl.__version__
    start = tmp_path / "sub-02" / "eeg" / "sub-02_task-rest_desc-sloreta"
    series = pd.read_csv(f"{start}_timeseries.tsv", sep="\t")
    assert len(series) == len(image.times)
    facts = json.loads(start.with_name(start.name + "_timeseries.json").read_text())
    assert facts["SamplingFrequency"] == pytest.approx(image.sfreq)
    regions = pd.read_csv(f"{start}_regions.tsv", sep="\t")
    assert set(regions["region"]) == set(range(image.cortex.n_regions))
    stc = mne.read_source_estimate(tmp_path / "sub-02" / "stc" / "rest-sloreta")
    np.testing.assert_allclose(stc.data, image.to_stc().data, rtol=1e-6)
    with pytest.raises(OptionError, match="subject='a/b'"):
        write_derivative(image, evoked, tmp_path, subject="a/b", task="rest")


def test_the_derivative_is_one_for_mne_bids(tmp_path, recording):
    bids = pytest.importorskip("mne_bids")
    evoked, image = recording
    written = write_derivative(image, evoked, tmp_path, subject="01", task="rest")
    found = bids.find_matching_paths(tmp_path, check=False)  # raises at a wrong name
    ours = {path.name for path in written if path.parent.name == "eeg"}
    assert {path.basename for path in found} == ours
    for path in found:
        assert path.subject == "01"
        assert path.task == "rest"
        assert path.description == "sloreta"
    assert bids.get_entity_vals(tmp_path, "subject") == ["01"]
    (series,) = bids.find_matching_paths(
        tmp_path, suffixes="timeseries", extensions=".tsv", check=False
    )
    table = pd.read_csv(series.fpath, sep="\t")
    np.testing.assert_allclose(table.iloc[:, 1:].T, image.activity, rtol=1e-4)
