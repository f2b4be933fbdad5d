from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from deepsif_lite.errors import ArtifactError, OptionError, RecordingUnavailable
from deepsif_lite.recordings import (
    VIRTUAL,
    fetch,
    find,
    load_or,
    load_recording,
    load_resting_eeg,
    recording_names,
    registry,
)
from deepsif_lite.recordings import published as recordings
from deepsif_lite.recordings.published import read_registry

VEP = "deepsif/source/VEP/data1.mat"
SPIKE = "fast-ires/Spikes/Spike_I/Data_Avg.mat"
ELECTRODES = "fast-ires/Raw 273/273_ele_ERD.xyz"
EVOKED = "mne/mne/io/tests/data/test-ave.fif.gz"
SMALL = ELECTRODES


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty machine without a network."""
    import requests

    def refuse(*args, **kwargs):
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(requests, "get", refuse)
    monkeypatch.setattr(recordings, "_cache_dir", lambda: tmp_path / "cache")
    monkeypatch.delenv("DEEPSIF_LITE_DATA", raising=False)


def test_registry_is_complete():
    keys = {"url", "sha256", "bytes", "license", "citation", "description"}
    for name, record in registry().items():
        assert set(record) == keys, name
        assert len(record["sha256"]) == 64
        assert record["url"].startswith("https://raw.githubusercontent.com/")
        assert " " not in record["url"]


def test_unknown_names_are_refused():
    with pytest.raises(KeyError, match="not in the registry"):
        fetch("deepsif/nothing.mat")
    with pytest.raises(OptionError, match="patient-spike"):
        load_recording("nothing")


def entry(**changes):
    record = {"url": "https://example.org/a", "sha256": "0" * 64}
    return {key: value for key, value in (record | changes).items() if value}


@pytest.mark.parametrize(
    ("name", "record", "match"),
    [
        ("../a.mat", entry(), "outside the folder"),
        ("a/../../b.mat", entry(), "outside the folder"),
        ("a\\..\\..\\b.mat", entry(), "outside the folder"),
        ("/etc/passwd", entry(), "outside the folder"),
        ("C:\\a.mat", entry(), "outside the folder"),
        ("C:a.mat", entry(), "outside the folder"),
        ("\\\\host\\share\\a.mat", entry(), "outside the folder"),
        ("a.mat", entry(url="http://example.org/a"), "not https"),
        ("a.mat", entry(url="file:///etc/passwd"), "not https"),
        ("a.mat", entry(url=None), "not https"),
        ("a.mat", entry(sha256=None), "no SHA-256"),
        ("a.mat", entry(sha256="md5:0"), "no SHA-256"),
    ],
)
def test_registry_entries_that_could_do_harm_are_refused(name, record, match):
    good = {"folder/a..b.mat": entry()}
    assert read_registry(json.dumps(good)) == good
    with pytest.raises(ArtifactError, match=match) as raised:
        read_registry(json.dumps(good | {name: record}))
    assert repr(name) in str(raised.value)


@pytest.mark.parametrize("text", ["", '{"a": ', "[]", '{"a": 3}'])
def test_damaged_registry_is_one_error(text):
    with pytest.raises(ArtifactError, match=r"registry\.json"):
        read_registry(text)


@pytest.mark.usefixtures("offline")
def test_unreachable_file_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPSIF_LITE_DATA", str(tmp_path))
    assert find(SMALL) is None
    with pytest.raises(RecordingUnavailable) as raised:
        fetch(SMALL)
    record, message = registry()[SMALL], str(raised.value)
    for part in (record["url"], record["sha256"], SMALL, str(tmp_path)):
        assert part in message


@pytest.mark.usefixtures("offline")
def test_wrong_content_is_refused(monkeypatch, tmp_path):
    path = tmp_path / SMALL
    path.parent.mkdir(parents=True)
    path.write_text("not the electrodes")
    monkeypatch.setenv("DEEPSIF_LITE_DATA", str(tmp_path))
    with pytest.raises(RecordingUnavailable, match="SHA-256"):
        fetch(SMALL)


@pytest.mark.usefixtures("offline")
def test_recording_or_what_is_made_instead():
    made = object()
    assert load_or("vep", lambda: made) == (made, VIRTUAL)
    with pytest.raises(OptionError, match="vep"):
        load_or("nothing", lambda: made)


def test_published_recording_has_a_label(monkeypatch):
    for name in recording_names():
        monkeypatch.setattr(recordings, "load_recording", lambda name: name)
        recording, label = load_or(name, lambda: pytest.fail("not needed"))
        assert recording == name
        assert label not in ("", VIRTUAL)


def test_a_damaged_file_in_the_cache_is_replaced(monkeypatch, tmp_path):
    content = b"content"
    record = {
        "url": "https://example.org/a.mat",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    monkeypatch.setattr(recordings, "registry", lambda: {"folder/a.mat": record})
    monkeypatch.setattr(recordings, "_cache_dir", lambda: tmp_path)
    monkeypatch.delenv("DEEPSIF_LITE_DATA", raising=False)
    asked = []

    class Downloader:
        def __init__(self, **kwargs): ...

        def __call__(self, url, output_file, pooch):
            asked.append(url)
            Path(output_file).write_bytes(content)

    monkeypatch.setattr("pooch.HTTPDownloader", Downloader)
    path = tmp_path / "folder" / "a.mat"
    path.parent.mkdir()
    path.write_bytes(b"half")
    assert find("folder/a.mat") is None
    for _ in range(2):
        assert fetch("folder/a.mat") == path
        assert path.read_bytes() == content
    assert asked == [record["url"]]


def test_folder_named_by_the_environment_comes_first(monkeypatch, tmp_path, published):
    source = published(SMALL)
    for folder in (tmp_path / "named", tmp_path / "cache"):
        (folder / SMALL).parent.mkdir(parents=True)
        shutil.copyfile(source, folder / SMALL)
    monkeypatch.setattr(recordings, "_cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setenv("DEEPSIF_LITE_DATA", str(tmp_path / "named"))
    assert fetch(SMALL) == tmp_path / "named" / SMALL
    monkeypatch.delenv("DEEPSIF_LITE_DATA")
    assert fetch(SMALL) == tmp_path / "cache" / SMALL


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
