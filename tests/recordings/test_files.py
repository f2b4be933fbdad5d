from __future__ import annotations

from dataclasses import replace

import mne
import numpy as np
import pandas as pd
import pytest

from deepsif_lite.imaging import image, write_image
from deepsif_lite.recordings import read_evoked


@pytest.fixture(scope="module")
def evoked():
    """A response on BioSemi-64, V, 200 samples from -0.1 s."""
    montage = mne.channels.make_standard_montage("biosemi64")
    info = mne.create_info(montage.ch_names, 500.0, "eeg").set_montage(montage)
    rng = np.random.default_rng(0)
    data = 1e-6 * rng.standard_normal((64, 200)).cumsum(axis=1)
    return mne.EvokedArray(data, info, tmin=-0.1, comment="target", verbose=False)


def test_evoked_file_with_conditions(tmp_path, evoked):
    other = evoked.copy()
    other.data *= -1
    other.comment = "standard"
    path = tmp_path / "subject-ave.fif"
    mne.write_evokeds(path, [evoked, other], verbose=False)
    for condition in ("standard", 1, "1"):
        read = read_evoked(path, condition)
        np.testing.assert_allclose(read.data, other.data, rtol=1e-6)
    for condition in (None, "novel", 2):
        with pytest.raises(ValueError, match=r"\['target', 'standard'\]"):
            read_evoked(path, condition)


def test_epochs_are_averaged(tmp_path, evoked):
    data = np.stack([evoked.data, 3 * evoked.data, -evoked.data])
    events = np.c_[[0, 300, 600], [0, 0, 0], [1, 1, 2]]
    epochs = mne.EpochsArray(
        data, evoked.info, events, tmin=-0.1, event_id={"a": 1, "b": 2}, verbose=False
    )
    path = tmp_path / "subject-epo.fif"
    epochs.save(path, verbose=False)
    np.testing.assert_allclose(read_evoked(path).data, evoked.data, rtol=1e-4)
    np.testing.assert_allclose(read_evoked(path, "a").data, 2 * evoked.data, rtol=1e-4)
    with pytest.raises(ValueError, match=r"\['a', 'b'\]"):
        read_evoked(path, "c")


def test_raw_needs_a_window(tmp_path, evoked):
    path = tmp_path / "subject_raw.fif"
    raw = mne.io.RawArray(np.tile(evoked.data, 5), evoked.info, verbose=False)
    raw.save(path, verbose=False)
    window = read_evoked(path, tmin=0.4, tmax=0.798)
    assert window.times[[0, -1]] == pytest.approx([0.4, 0.798])
    np.testing.assert_allclose(window.data, evoked.data, rtol=1e-4, atol=1e-12)
    with pytest.raises(ValueError, match="give tmin and tmax"):
        read_evoked(path)
    with pytest.raises(ValueError, match="do not lie within"):
        read_evoked(path, tmin=1, tmax=20)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        read_evoked(tmp_path / "nothing.fif")


def test_written_files_hold_the_image(tmp_path, evoked):
    result = image(evoked, "sloreta", "template-64")
    written = write_image(result, evoked, tmp_path / "new", "subject")
    names = {path.name for path in written}
    assert names == {"subject-lh.stc", "subject-rh.stc", "subject-regions.csv",
                     "subject.png", "subject-report.html"}  # fmt: skip
    stc = mne.read_source_estimate(tmp_path / "new" / "subject")
    np.testing.assert_allclose(stc.data, result.to_stc().data, rtol=1e-5)
    table = pd.read_csv(tmp_path / "new" / "subject-regions.csv")
    assert table["region"][0] == result.peak.region
    assert len(table) == result.cortex.n_regions
    html = (tmp_path / "new" / "subject-report.html").read_text(encoding="utf-8")
    assert "not a medical device" in html
    assert "<img" in html


@pytest.mark.parametrize(("surest", "likely"), [(0.9, 1), (0.3, 0)])
def test_report_says_how_sure_the_network_is(tmp_path, evoked, surest, likely):
    result = image(evoked, "sloreta", "template-64")
    probability = np.full(result.cortex.n_regions, 0.01)
    probability[5] = surest
    doubtful = replace(result, method="deepsif", probability=probability)
    written = write_image(doubtful, evoked, tmp_path, "subject")
    assert tmp_path / "subject-probability.png" in written
    html = (tmp_path / "subject-report.html").read_text(encoding="utf-8")
    assert f"{likely} regions are more likely active than not" in html
    assert f"the surest has {surest:.0%}" in html
    assert "Probability of being active" in html
