from __future__ import annotations

import gzip
import warnings
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pandas as pd
import pytest
from eeg_files import eeglab_fields, write_edf, write_eeglab_v73
from scipy.io import savemat
from scipy.signal import detrend

from deepsif_lite.errors import FileError, OptionError, WindowError
from deepsif_lite.imaging import image, write_image
from deepsif_lite.recordings import read_evoked


@pytest.fixture(scope="module")
def evoked():
    """A response on BioSemi-64, V, 200 samples from -0.1 s."""
    montage = mne.channels.make_standard_montage("biosemi64")
    info = mne.create_info(montage.ch_names, 500.0, "eeg").set_montage(montage)
    rng = np.random.default_rng(0)
    data = detrend(1e-6 * rng.standard_normal((64, 200)).cumsum(axis=1))
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
    cure = r"'a': 2, 'b': 1.*epochs\['a'\].average\(\)"
    with pytest.warns(UserWarning, match=cure) as warned:
        np.testing.assert_allclose(read_evoked(path).data, evoked.data, rtol=1e-4)
    assert warned[0].filename == __file__
    np.testing.assert_allclose(read_evoked(path, "a").data, 2 * evoked.data, rtol=1e-4)
    with pytest.raises(ValueError, match=r"\['a', 'b'\]"):
        read_evoked(path, "c")


@pytest.mark.parametrize("dropped", [[], [2]])
def test_conditions_that_have_epochs_count(tmp_path, evoked, dropped):
    epochs = mne.EpochsArray(
        np.stack([evoked.data, evoked.data, -evoked.data]),
        evoked.info,
        np.c_[[0, 1, 2], [0, 0, 0], [1, 2, 3]],
        event_id={"tone/left": 1, "tone/right": 2, "flash": 3},
        verbose=False,
    ).drop(dropped, verbose=False)
    path = tmp_path / "subject-epo.fif"
    epochs.save(path, verbose=False)
    there = 3 - len(dropped)
    with pytest.warns(UserWarning, match=f"{there} conditions"):
        read_evoked(path)
    for condition in ("tone/left", "tone"):  # a part of names, as MNE has it
        read = read_evoked(path, condition)
        np.testing.assert_allclose(read.data, evoked.data, rtol=1e-4)


def test_projectors_are_as_they_were_saved(tmp_path, evoked):
    """MNE applies them to what it reads unless told otherwise."""
    given = evoked.copy().set_eeg_reference(projection=True, verbose=False)
    mne.write_evokeds(tmp_path / "a-ave.fif", given, verbose=False)
    epochs = mne.EpochsArray(given.data[None], given.info, proj=False, verbose=False)
    epochs.save(tmp_path / "a-epo.fif", verbose=False)
    for name in ("a-ave.fif", "a-epo.fif"):
        read = read_evoked(tmp_path / name)
        np.testing.assert_allclose(read.data, evoked.data, atol=1e-9)


def test_epochs_with_none_left_are_refused(tmp_path, evoked):
    epochs = mne.EpochsArray(evoked.data[None], evoked.info, verbose=False)
    path = tmp_path / "subject-epo.fif"
    epochs.drop([0], verbose=False).save(path, verbose="error")
    with pytest.raises(FileError, match="subject-epo.fif"):
        read_evoked(path)


def test_evoked_is_whole_since_its_baseline_may_lie_outside(tmp_path, evoked):
    path = tmp_path / "subject-ave.fif"
    mne.write_evokeds(path, evoked, verbose=False)
    read = read_evoked(path, tmin=0.05, tmax=0.2)
    np.testing.assert_allclose(read.times, evoked.times, atol=1e-6)


def test_averages_come_before_standard_errors(tmp_path, evoked):
    error = evoked.copy()
    error.kind = "standard_error"
    path = tmp_path / "subject-ave.fif"
    mne.write_evokeds(path, [error, evoked], verbose=False)
    assert read_evoked(path, "target").kind == "average"


@pytest.fixture
def raw(evoked):
    return mne.io.RawArray(np.tile(evoked.data, 5), evoked.info, verbose=False)


def test_raw_needs_a_window(tmp_path, evoked, raw):
    path = tmp_path / "subject_raw.fif"
    raw.save(path, verbose=False)
    window = read_evoked(path, tmin=0.4, tmax=0.798)
    assert window.times[[0, -1]] == pytest.approx([0.4, 0.798])
    np.testing.assert_allclose(window.data, evoked.data, rtol=1e-4, atol=1e-12)
    longer = read_evoked(path, tmin=0.4, tmax=0.798, baseline=(0.1, 0.3))
    assert longer.times[[0, -1]] == pytest.approx([0.1, 0.798])
    with pytest.raises(WindowError, match="give tmin and tmax"):
        read_evoked(path)
    with pytest.raises(WindowError, match=r"within the data's 0.000 to 1.998 s\."):
        read_evoked(path, tmin=1, tmax=3)
    with pytest.raises(WindowError, match="look like ms"):
        read_evoked(path, tmin=400, tmax=800)
    with pytest.raises(OptionError, match="condition='a'.*raw recording"):
        read_evoked(path, "a", 0.4, 0.798)


def test_annotations_of_a_raw_recording_are_averaged(tmp_path, raw):
    path = tmp_path / "subject_raw.fif"
    at = [0.5, 0.9, 1.3, 1.95, 0.9]  # the fourth too near to the end, the fifth twice
    names = ["spike/left", "spike/right", "other", "spike/left", "spike/left"]
    raw.set_annotations(mne.Annotations(at, 0.0, names))
    raw.save(path, verbose=False)
    averaged = read_evoked(path, "spike", -0.1, 0.2)
    assert averaged.nave == 2
    assert averaged.comment == "spike"
    first, last = (round(raw.info["sfreq"] * t) for t in (-0.1, 0.2))
    pieces = [
        raw.get_data()[:, round(raw.info["sfreq"] * t) + np.arange(first, last + 1)]
        for t in (0.5, 0.9)
    ]
    np.testing.assert_allclose(averaged.data, np.mean(pieces, 0), rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(
        averaged.times, np.arange(first, last + 1) / raw.info["sfreq"]
    )
    assert read_evoked(path, "spike/right", -0.1, 0.2).nave == 1
    longer = read_evoked(path, "spike", -0.1, 0.2, baseline=(-0.4, -0.2))
    assert longer.times[[0, -1]] == pytest.approx([-0.4, 0.2])
    with pytest.raises(OptionError, match=r"annotations are \['other', 'spike/left'"):
        read_evoked(path, "seizure", -0.1, 0.2)
    with pytest.raises(WindowError, match="No annotation 'spike'.*shorten"):
        read_evoked(path, "spike", -1.5, 1.5)
    with pytest.raises(WindowError, match="end comes before its start"):
        read_evoked(path, "spike", 0.2, -0.1)
    with pytest.raises(WindowError, match="around its annotations"):
        read_evoked(path, "spike")


def test_what_is_marked_as_bad_is_no_part_of_the_average(tmp_path, raw):
    path = tmp_path / "subject_raw.fif"
    marks = mne.Annotations([0.5, 0.9, 0.85], [0, 0, 0.1], ["spike", "spike", "BAD"])
    raw.set_annotations(marks).save(path, verbose=False)
    assert read_evoked(path, "spike", -0.1, 0.1).nave == 1


def test_bad_pieces_in_the_window_are_named(tmp_path, raw):
    path = tmp_path / "subject_raw.fif"
    raw.set_annotations(mne.Annotations([0.5, 1.5], 0.1, ["BAD_blink", "stimulus"]))
    raw.save(path, verbose=False)
    with pytest.warns(UserWarning, match="BAD_blink"):
        read_evoked(path, tmin=0.4, tmax=0.8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_evoked(path, tmin=1.0, tmax=1.9)


@pytest.mark.parametrize("name", ["subject-ave.FIF", "subject-ave.fif.gz"])
def test_capitals_and_compression_do_not_matter(tmp_path, evoked, name):
    path = tmp_path / "subject-ave.fif"
    mne.write_evokeds(path, evoked, verbose=False)
    if name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress(path.read_bytes()))
    else:
        path.rename(tmp_path / name)
    np.testing.assert_allclose(read_evoked(tmp_path / name).data, evoked.data)


# ------------------------------------------------------------------ other formats

SFREQ, N_TIMES = 100, 200
NAMES = ["Fz", "Cz", "Pz"]


def eeglab(n_trials):
    shape = (3, N_TIMES, n_trials) if n_trials > 1 else (3, N_TIMES)
    data = np.random.default_rng(0).standard_normal(shape)
    return eeglab_fields(data, NAMES, SFREQ)


@pytest.mark.parametrize("name", ["subject.set", "SUBJECT.SET"])
@pytest.mark.parametrize("layout", ["structure", "flat"])
@pytest.mark.parametrize("n_trials", [1, 5])
def test_eeglab(tmp_path, n_trials, layout, name):
    if name.isupper() and mne.utils.check_version("mne", "1.13") is False:
        pytest.skip("MNE reads EEGLAB's ending in capitals from version 1.13")
    fields, path = eeglab(n_trials), tmp_path / name
    content = {"EEG": fields} if layout == "structure" else fields
    savemat(path, content, appendmat=False, oned_as="row")
    read = read_evoked(path, tmin=0, tmax=(N_TIMES - 1) / SFREQ)
    data = fields["data"].mean(axis=2) if n_trials > 1 else fields["data"]
    np.testing.assert_allclose(read.data, 1e-6 * data, rtol=1e-5, atol=1e-12)
    assert read.ch_names == ["Fz", "Cz", "Pz"]


def test_eeglab_saved_as_v73(tmp_path):
    pytest.importorskip("pymatreader")
    pytest.importorskip("h5py")
    fields, path = eeglab(1), tmp_path / "subject.set"
    write_eeglab_v73(path, fields)
    read = read_evoked(path, tmin=0, tmax=1)
    np.testing.assert_allclose(read.data, 1e-6 * fields["data"][:, :101], atol=1e-12)


@pytest.mark.parametrize("name", ["a.edf", "A.EDF", "a.bdf"])
def test_edf_and_bdf(tmp_path, name):
    data = 10 * np.random.default_rng(0).standard_normal((3, N_TIMES))
    write_edf(tmp_path / name, data, NAMES, SFREQ)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = read_evoked(tmp_path / name, tmin=0, tmax=1)
    np.testing.assert_allclose(read.data, 1e-6 * data[:, :101], atol=4e-9)


@pytest.mark.parametrize(("name", "kind"), [("a.edf", "EDF+D"), ("a.bdf", "BDF+D")])
def test_gaps_are_noticed(tmp_path, name, kind):
    write_edf(tmp_path / name, np.zeros((3, N_TIMES)), NAMES, SFREQ, kind)
    with pytest.warns(UserWarning, match="gaps"):
        read_evoked(tmp_path / name, tmin=0, tmax=1)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("empty-ave.fif", "no FIF data"),
        ("text-epo.fif", "no FIF data"),
        ("a.mat", "read_raw_fieldtrip"),
        ("a.data", "read_raw_"),
        ("a.cnt", "read_raw_"),
        ("a.eeg", "vhdr"),
        ("a.vmrk", "vhdr"),
        ("a.vhdr", "save the recording as .fif"),
        ("a.set", "v7.3"),
        ("a.edf", "save the recording as .fif"),
        ("a.csv", "mne.EvokedArray"),
        ("a.npy", "mne.EvokedArray"),
        ("a.xlsx", "mne.EvokedArray"),
        ("a.edf.gz", "unpack it"),
    ],
)
def test_whatever_a_reader_raises_is_one_error(tmp_path, name, match):
    path = tmp_path / name
    path.write_bytes(b"" if "empty" in name else b"no EEG at all\n" * 40)
    with pytest.raises(FileError, match=match) as raised:
        read_evoked(path, tmin=0, tmax=1)
    assert name in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_other_fif_files_are_named(tmp_path):
    path = tmp_path / "head-trans.fif"
    mne.write_trans(path, mne.transforms.Transform("head", "mri"))
    with pytest.raises(FileError, match="transform data"):
        read_evoked(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        read_evoked(tmp_path / "nothing.fif")


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("https://example.org/a-ave.fif", "download"),
        (Path("https://example.org/a-ave.fif"), "download"),
        (b"a-ave.fif", "of type bytes"),
        (None, "of type NoneType"),
        (Path(__file__).parent, "is a folder"),
    ],
)
def test_what_is_no_file_is_named(path, match):
    with pytest.raises(FileError, match=match):
        read_evoked(path)


@pytest.mark.filterwarnings("ignore:The channels predict")  # of each other: noise
def test_written_files_hold_the_image(tmp_path, evoked):
    result = image(evoked, "sloreta", "template-64")
    written = write_image(result, evoked, tmp_path / "new", "subject")
    names = {path.name for path in written}
    assert names == {"subject-lh.stc", "subject-rh.stc", "subject-regions.csv",
                     "subject.png", "subject-cortex.html",
                     "subject-report.html"}  # fmt: skip
    stc = mne.read_source_estimate(tmp_path / "new" / "subject")
    np.testing.assert_allclose(stc.data, result.to_stc().data, rtol=1e-5)
    table = pd.read_csv(tmp_path / "new" / "subject-regions.csv")
    assert table["region"][0] == result.peak.region
    assert len(table) == result.cortex.n_regions
    html = (tmp_path / "new" / "subject-report.html").read_text(encoding="utf-8")
    assert "not a medical device" in html
    assert "<img" in html


@pytest.mark.filterwarnings("ignore:The channels predict")
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
