from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite.errors import OptionError, RecordingUnavailable
from deepsif_lite.recordings import (
    VIRTUAL,
    load_or,
    load_recording,
    load_resting_eeg,
    recording_names,
    responses,
)

VEP = "deepsif/source/VEP/data1.mat"
SPIKE = "fast-ires/Spikes/Spike_I/Data_Avg.mat"
SINGLE_SPIKES = "fast-ires/Spikes/Spike_I/data_spk_tot.mat"
ELECTRODES = "fast-ires/Raw 273/273_ele_ERD.xyz"
EVOKED = "mne/mne/io/tests/data/test-ave.fif.gz"
SEP = {
    name: f"fecnn/real_data/{name.upper()}/EEG_avg.mat" for name in ("a0206", "a1974")
}
ODDBALL = {
    name: f"mne-misc-data/ERP_CORE/P3/sub-{name}_ses-P3_task-P3_ave.fif"
    for name in ("015", "016", "017")
}


def test_unknown_names_are_refused():
    with pytest.raises(OptionError, match="patient-spike"):
        load_recording("nothing")


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", recording_names())
def test_a_recording_that_is_not_there_is_one_error(name):
    with pytest.raises(RecordingUnavailable, match="DEEPSIF_LITE_DATA"):
        load_recording(name)


@pytest.mark.usefixtures("offline")
def test_recording_or_what_is_made_instead():
    made = object()
    assert load_or("vep", lambda: made) == (made, VIRTUAL)
    with pytest.raises(OptionError, match="vep"):
        load_or("nothing", lambda: made)


def test_published_recording_has_a_label(monkeypatch):
    for name in recording_names():
        monkeypatch.setattr(responses, "load_recording", lambda name: name)
        recording, label = load_or(name, lambda: pytest.fail("not needed"))
        assert recording == name
        assert label not in ("", VIRTUAL)


@pytest.fixture
def made(monkeypatch, tmp_path):
    """Return a function: a path that is read for every published file."""

    def read_instead(path):
        monkeypatch.setattr(responses, "fetch", lambda name: path)

    return lambda name: (path := tmp_path / name, read_instead(path))[0]


def test_a_fieldtrip_average_is_read_in_volts_and_in_the_head_frame(made):
    from scipy.io import savemat

    rng = np.random.default_rng(0)
    data, times = 1e-6 * rng.normal(size=(3, 60)), -0.02 + np.arange(60) / 1200
    # FieldTrip's axes: front, left, up, in cm; more electrodes than channels.
    places = {"Fpz": (10, 0, 1), "ECG": (1, 2, 3), "T7": (0, 8, 2), "Cz": (0, 0, 12)}
    elec = {
        "label": np.array(list(places), dtype=object),
        "chanpos": np.array(list(places.values()), dtype=float),
    }
    label = np.array(["Cz", "Fpz", "T7"], dtype=object)
    average = {"avg": data, "time": times, "label": label, "elec": elec}
    savemat(made("EEG_avg.mat"), {"EEG_avg": average})
    evoked = load_recording("sep-a0206")
    np.testing.assert_allclose(evoked.data, data)
    np.testing.assert_allclose(evoked.times, times, atol=1e-9)
    assert evoked.ch_names == ["Cz", "Fpz", "T7"]
    at = evoked.get_montage().get_positions()["ch_pos"]
    np.testing.assert_allclose(at["Fpz"], [0, 0.10, 0.01], atol=1e-9)
    np.testing.assert_allclose(at["T7"], [-0.08, 0, 0.02], atol=1e-9)
    np.testing.assert_allclose(at["Cz"], [0, 0, 0.12], atol=1e-9)


def test_the_responses_to_an_oddball_are_told_apart(made):
    import mne

    info = mne.create_info(["FP1", "Cz", "Pz"], 128.0, "eeg")
    size = {"target": 3.0, "non-target": 1.0, "difference": 2.0}
    stored = [
        mne.EvokedArray(np.full((3, 129), 1e-6 * x), info, tmin=-0.2, comment=f"{x}")
        for x in size.values()
    ]
    mne.write_evokeds(made("oddball-ave.fif"), stored)
    for response, x in size.items():
        evoked = load_recording(f"oddball-016-{response}")
        np.testing.assert_allclose(evoked.data, 1e-6 * x, rtol=1e-6)
        assert response in evoked.comment


def _neighbor_correlation(data, positions, order):
    corr = np.corrcoef(data - data.mean(axis=0))[np.ix_(order, order)]
    distance = np.linalg.norm(positions[:, None] - positions, axis=-1)
    nearest = np.argsort(distance, axis=1)[:, 1:4]
    return np.take_along_axis(corr, nearest, axis=1).mean()


@pytest.mark.published(VEP, SPIKE, ELECTRODES)
@pytest.mark.parametrize("name", ["vep", "patient-spike"])
def test_channel_order_makes_neighbors_alike(name):
    # Independent of the reader: the right order of channels is the one under which
    # electrodes that lie side by side record nearly the same.
    evoked = load_recording(name)
    positions = np.array([ch["loc"][:3] for ch in evoked.info["chs"]])
    n, rng = len(positions), np.random.default_rng(0)
    ours = _neighbor_correlation(evoked.data, positions, np.arange(n))
    shuffled = [
        _neighbor_correlation(evoked.data, positions, rng.permutation(n))
        for _ in range(100)
    ]
    assert ours > 0.85
    assert max(shuffled) < 0.3


@pytest.mark.published(VEP)
def test_vep_peaks_over_the_occiput_after_92_ms():
    evoked = load_recording("vep")
    assert evoked.data.shape == (64, 350)
    assert evoked.info["sfreq"] == 500
    assert evoked.times[0] == pytest.approx(-0.2)
    early = evoked.copy().set_eeg_reference(verbose=False).crop(0.06, 0.12)
    peak = int(np.argmax(early.data.std(axis=0)))
    assert early.times[peak] == pytest.approx(0.093, abs=0.002)
    strongest = np.argsort(early.data[:, peak])[::-1][:3]
    assert {early.ch_names[i] for i in strongest} == {"PO3", "O1", "PO7"}


@pytest.mark.published(SPIKE, ELECTRODES)
def test_spike_peaks_at_time_zero_over_the_left_temporal_lobe():
    evoked = load_recording("patient-spike")
    assert evoked.data.shape == (75, 2001)
    assert evoked.times[np.argmax(evoked.data.std(axis=0)[900:1100]) + 900] == 0
    at_peak = evoked.data[:, np.argmin(np.abs(evoked.times))]
    strongest = np.argsort(np.abs(at_peak))[::-1][:5]
    assert {evoked.ch_names[i] for i in strongest} == {"T7", "TP7", "FT7", "T9", "FT9"}
    # The published polarity: the sharp wave is positive at T7.
    assert at_peak[evoked.ch_names.index("T7")] > 0


@pytest.mark.published(EVOKED)
def test_mne_evoked_is_eeg_only():
    evoked = load_recording("mne-visual-right")
    assert set(evoked.get_channel_types()) == {"eeg"}
    assert len(evoked.ch_names) == 60
    assert "mne-visual-right" in recording_names()


@pytest.mark.published("deepsif/anatomy/realistic_noise.mat")
def test_resting_eeg_has_no_mean_and_is_smooth():
    clips = load_resting_eeg()
    assert clips.shape == (4, 500, 75)
    np.testing.assert_allclose(clips.mean(axis=1), 0, atol=1e-9)
    step = np.diff(clips, axis=1).std()
    assert step < 0.7 * clips.std()  # white noise: 1.41


@pytest.mark.published(SPIKE, SINGLE_SPIKES, ELECTRODES)
def test_single_spikes_make_the_average():
    average = load_recording("patient-spike").crop(-0.1, 0.1).data
    single = [load_recording(f"patient-spike-{k}") for k in range(1, 6)]
    assert {len(one.times) for one in single} == {2001}
    alike = [one.times[1000] for one in single]
    np.testing.assert_allclose(alike, 0)
    ours = np.mean([one.crop(-0.1, 0.1).data for one in single], axis=0)
    # The authors treated the average in a way that the files do not say.
    assert np.corrcoef(ours.ravel(), average.ravel())[0, 1] > 0.9


@pytest.mark.published(*SEP.values())
@pytest.mark.parametrize(
    ("name", "n_channels", "latency"), [("a0206", 73, 0.025), ("a1974", 71, 0.0233)]
)
def test_the_n20_is_negative_behind_the_left_central_sulcus(name, n_channels, latency):
    evoked = load_recording(f"sep-{name}")
    assert evoked.data.shape == (n_channels, 360)
    np.testing.assert_allclose(evoked.data.mean(axis=0), 0, atol=1e-12)
    values = evoked.data[:, evoked.time_as_index(latency)[0]]
    at_peak = dict(zip(evoked.ch_names, values, strict=True))
    assert 1e-6 < np.abs(values).max() < 4e-6
    strongest = sorted(at_peak, key=at_peak.get)[:5]
    assert {"P3", "CP5"} <= set(strongest)
    assert at_peak["Fz"] > 0.5e-6


@pytest.mark.published(*SEP.values())
@pytest.mark.parametrize("name", SEP)
def test_electrodes_of_the_sep_sit_where_their_names_say(name):
    from deepsif_lite.head import load_head_model

    info = load_recording(f"sep-{name}").info
    named = [ch for ch in info["ch_names"] if ch not in ("O9", "O10")]
    ours = load_head_model("template", channels=named).info.get_montage()
    ours, theirs = (
        np.array([montage.get_positions()["ch_pos"][ch] for ch in named])
        for montage in (ours, info.get_montage())
    )
    ours, theirs = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
    cosine = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1)
    assert np.median(cosine / np.linalg.norm(theirs, axis=1)) > 0.98


@pytest.mark.published(*ODDBALL.values())
@pytest.mark.parametrize("subject", ODDBALL)
def test_the_difference_is_that_of_the_two_responses(subject):
    target, other, difference = (
        load_recording(f"oddball-{subject}-{response}")
        for response in ("target", "non-target", "difference")
    )
    assert len(difference.ch_names) == 30
    assert (target.nave, other.nave) == (40, 160)
    np.testing.assert_allclose(difference.data, target.data - other.data, atol=1e-10)
    # Eye movements reach the front in one of them, but the P3 is parietal in all.
    late = difference.copy().crop(0.3, 0.6).data.mean(axis=1)
    at = dict(zip(difference.ch_names, late, strict=True))
    assert min(at[name] for name in ("P3", "Pz", "P4")) > 1e-6
