"""Epochs and raw recordings: image after image, in bounded memory."""

from __future__ import annotations

import tracemalloc
import warnings
import weakref

import mne
import numpy as np
import pytest
import torch
from toys import air_head

from deepsif_lite.errors import ChannelError, OptionError, SignalError, WindowError
from deepsif_lite.imaging import Imager, image, image_epochs, image_raw
from deepsif_lite.recordings import prepare
from deepsif_lite.solvers import get_solver

# The recordings of these tests are noise, of which an image is made with a warning.
pytestmark = pytest.mark.filterwarnings("ignore:The channels (of|predict)")

N_REGIONS, RATE = 60, 500.0
N_MINUTES = 10


@pytest.fixture(scope="module")
def head():
    return air_head(N_REGIONS, RATE)


@pytest.fixture(scope="module")
def imager(head):
    class Linear(torch.nn.Linear):
        def image(self, eeg):
            return self(eeg), 0.6 + 0.4 * self(eeg).abs().amax(1).tanh()

    torch.manual_seed(0)
    card = {"ch_names": head.ch_names, "sfreq": RATE, "n_times": 250, "head": "air"}
    return Imager(Linear(32, N_REGIONS, bias=False), card, head)


def _noise(n_times, seed=0):
    return 1e-6 * np.random.default_rng(seed).standard_normal((32, n_times))


@pytest.fixture
def raw(head):
    """Six seconds whose first sample is not that of the amplifier."""
    return mne.io.RawArray(_noise(3000), head.info, first_samp=700, verbose="error")


@pytest.fixture
def epochs(head):
    data = _noise(20 * 250).reshape(32, 20, 250).swapaxes(0, 1)
    return mne.EpochsArray(data, head.info, tmin=-0.2, verbose="error")


def _options(method, imager):
    return {"model": imager} if method == "deepsif" else {}


@pytest.mark.parametrize("method", ["deepsif", "sloreta", "lcmv"])
def test_each_epoch_is_imaged_as_if_it_were_alone(epochs, head, imager, method):
    epochs.drop([3], verbose="error")
    options = {"tmin": -0.1, "tmax": 0.2, **_options(method, imager)}
    images = image_epochs(epochs, method, head, **options)
    assert iter(images) is images
    images = list(images)
    assert len(images) == 19
    for k in (0, 3, 18):
        alone = image(epochs[k].average(), method, head, **options)
        peak = np.abs(alone.activity).max()
        np.testing.assert_allclose(images[k].activity, alone.activity, atol=1e-5 * peak)
        np.testing.assert_array_equal(images[k].times, alone.times)
        if method == "deepsif":
            np.testing.assert_allclose(images[k].probability, alone.probability, 1e-5)
    assert images[0].activity.base is None  # it keeps no batch in memory


def test_noise_of_epochs_is_that_of_all_their_baselines(epochs, head):
    baseline = (None, 0.0)
    options = {"baseline": baseline, "noise": "empirical", "tmin": 0.05}
    found = next(image_epochs(epochs, "sloreta", head, **options))
    ready = prepare(epochs, head.info, baseline=baseline)
    cov = mne.compute_covariance(ready, tmax=0.0, method="empirical", verbose="error")
    data = ready.get_data()[0][:, ready.times >= 0.05 - 1e-9]
    expected = get_solver("sloreta")(data.T, head, noise_cov=cov.data).T
    np.testing.assert_allclose(
        found.activity, expected, rtol=1e-3, atol=1e-3
    )  # n, not n - 1


@pytest.mark.parametrize("method", ["deepsif", "sloreta", "lcmv"])
def test_windows_of_raw_are_imaged_as_if_cut_by_hand(raw, head, imager, method):
    images = list(image_raw(raw, method, head, **_options(method, imager)))
    assert [round(im.times[0], 3) for im in images] == [k / 2 for k in range(11)]
    for k in (0, 4, 10):
        first = 250 * k
        data = raw.get_data(start=first, stop=first + 500)
        cut = mne.EvokedArray(data, head.info, tmin=first / RATE, verbose="error")
        alone = image(cut, method, head, **_options(method, imager))
        peak = np.abs(alone.activity).max()
        np.testing.assert_allclose(images[k].activity, alone.activity, atol=1e-5 * peak)
        np.testing.assert_allclose(images[k].times, alone.times, atol=1e-9)


def test_the_noise_of_raw_is_that_of_its_quiet_part(raw, head):
    options = {"baseline": (4.0, 6.0), "noise": "empirical", "overlap": 0}
    found = next(image_raw(raw, "sloreta", head, tmin=1.0, **options))
    quiet = prepare(raw.copy().crop(4.0, 5.998), head.info)
    cov = mne.compute_raw_covariance(
        quiet, tstep=None, method="empirical", verbose="error"
    )
    data = prepare(raw, head.info).get_data()[:, 500:1000]
    data -= data.mean(axis=1, keepdims=True)
    expected = get_solver("sloreta")(data.T, head, noise_cov=cov.data).T
    peak = np.abs(expected).max()
    np.testing.assert_allclose(found.activity, expected, atol=1e-3 * peak)


@pytest.mark.filterwarnings("ignore:Channels .* are flat")
@pytest.mark.parametrize(("quiet", "until"), [((4.5, 6.0), 2200), ((0.0, 0.4), 250)])
def test_a_channel_that_fails_leaves_the_noise_as_well(raw, head, quiet, until):
    """It is flat in the first batch alone, or in the baseline alone."""
    raw._data[5, :until] = 0
    options = {"noise": "empirical", "window": 0.5, "overlap": 0}
    found = next(image_raw(raw, "sloreta", head, baseline=quiet, **options))
    names = [name for k, name in enumerate(head.ch_names) if k != 5]
    there = head.pick(names)
    kept = prepare(raw.copy().pick(names), there.info).get_data().T
    low, high = (round(RATE * t) for t in quiet)
    silence = kept[low : high + 1] - kept[low : high + 1].mean(axis=0)
    first = kept[:250] - kept[:250].mean(axis=0)
    cov = silence.T @ silence / len(silence)
    expected = get_solver("sloreta")(first, there, noise_cov=cov).T
    peak = np.abs(expected).max()
    np.testing.assert_allclose(found.activity, expected, atol=1e-3 * peak)


@pytest.mark.filterwarnings("ignore:Channels .* are flat")
def test_a_channel_that_fails_later_leaves_a_given_covariance_too(raw, head):
    raw._data[5, 1900:] = 0  # all of the second batch
    matrix = np.diag(np.linspace(1, 2, 32)) * 1e-12
    named = mne.Covariance(matrix, head.ch_names, [], [], 100)
    options = {"head": head, "window": 0.5, "overlap": 0}
    found, expected = (
        list(image_raw(raw, "mne", noise_cov=cov, **options)) for cov in (matrix, named)
    )
    n_channels = [image.evidence.eeg.shape[1] for image in found]
    assert (n_channels[0], n_channels[-1]) == (32, 31)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours.activity, theirs.activity)
    # Good for the first time later on, a channel has no noise in a matrix without it.
    raw._data[5, 2100:], raw._data[5, :2100] = 1e-6 * np.sin(np.arange(900)), 0
    few = np.delete(np.delete(matrix, 5, 0), 5, 1)
    images = image_raw(raw, "mne", noise_cov=few, **options)
    assert next(images).evidence.eeg.shape[1] == 31
    with pytest.raises(ChannelError, match=f"noise_cov has no .*{head.ch_names[5]}"):
        list(images)


def test_a_covariance_with_names_fits_whatever_is_imaged(epochs, head):
    evoked = epochs.average()
    evoked.info["bads"] = [head.ch_names[3]]
    cov = mne.compute_covariance(epochs, method="shrunk", verbose="error")
    found = image(evoked, "sloreta", head, noise_cov=cov)
    kept = [k for k in range(32) if k != 3]
    matrix = cov.data[np.ix_(kept, kept)]
    same = image(evoked, "sloreta", head, noise_cov=matrix)
    np.testing.assert_allclose(found.activity, same.activity)
    with pytest.raises(ChannelError, match="of 32 channels, and 31 are imaged"):
        image(evoked, "sloreta", head, noise_cov=cov.data)
    fewer = cov.copy().pick_channels(head.ch_names[:20], verbose="error")
    with pytest.raises(ChannelError, match="noise_cov has no"):
        image(evoked, "sloreta", head, noise_cov=fewer)
    for wrong in (cov.data[:3], "shrunk", np.full((31, 31), np.nan), 1e-12):
        with pytest.raises(SignalError, match="square, symmetric matrix"):
            image(evoked, "sloreta", head, noise_cov=wrong)


def test_windows_with_a_bad_piece_are_left_out(raw, imager):
    raw.set_annotations(mne.Annotations([2.1, 1], [0.2, 3], ["BAD jump", "note"]))
    assert raw.annotations.onset.max() == pytest.approx(2.1 + raw.first_time)
    raw._data[:, 1050:1150] += 1e-3  # what would count all channels as bad
    starts = [im.times[0] for im in imager.apply_raw(raw, 1.0, 0.5)]
    np.testing.assert_allclose(starts, [0, 0.5, 1, 2.5, 3, 3.5, 4, 4.5, 5], atol=1e-9)
    raw.set_annotations(mne.Annotations([0], [6], ["bad"]))
    with pytest.raises(WindowError, match="Every window"):
        imager.apply_raw(raw)


def test_resampling_leaves_no_trace_at_the_edges_of_windows(imager, head):
    """A slow sine is the same at either rate."""
    times = np.arange(12_000) / 2000
    data = head.leadfield[:, [7]] * np.sin(2 * np.pi * 3 * times + 0.4)
    info = mne.create_info(head.ch_names, 2000.0, "eeg").set_montage(
        head.info.get_montage()
    )
    data = 1e-5 * data / np.abs(data).max() + 1e-3 * _noise(12_000)
    raw = mne.io.RawArray(data, info, verbose="error")
    for k, found in enumerate(imager.apply_raw(raw, 1.0, 0.0)):
        expected = imager.predict(data[:, 2000 * k : 2000 * (k + 1) : 4].T).T
        error = np.abs(found.activity - expected)
        margin = 25 if k in (0, 5) else 0  # beside the ends of the recording
        error = error[:, margin : 500 - margin]
        assert error.max() < 0.02 * np.abs(expected).max()
    assert k == 5


def test_a_long_recording_is_imaged_in_little_memory(imager, head, tmp_path):
    path = tmp_path / "long_raw.fif"
    n_times = round(60 * N_MINUTES * RATE)
    whole = mne.io.RawArray(_noise(n_times), head.info, verbose="error")
    whole.save(path, verbose="error")
    size = whole.get_data().nbytes
    del whole
    raw = mne.io.read_raw_fif(path, verbose="error")
    imager.apply_raw(raw)  # the imports
    tracemalloc.start()
    most, alive = 0, weakref.WeakSet()
    for found in imager.apply_raw(raw, tmin=60 * N_MINUTES - 20):
        alive.add(found)
        most = max(most, len(alive))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.times[-1] == pytest.approx(60 * N_MINUTES, abs=0.01)
    assert most <= 2
    assert peak < size / 4
    assert not raw.preload


def test_what_is_wrong_is_said_at_once(raw, epochs, head, imager):
    evoked = epochs.average()
    cures = {
        (image, "evoked is of type RawArray.*image_raw"): raw,
        (image, "evoked is of type EpochsArray.*image_epochs"): epochs,
        (image, r"list \(EvokedArray, EvokedArray\).*one of them at a time"): (
            [evoked, evoked]
        ),
        (image_epochs, "epochs is of type EvokedArray.*deepsif_lite.image"): evoked,
        (image_raw, "raw is of type EpochsArray.*image_epochs"): epochs,
    }
    for (verb, text), thing in cures.items():
        for method in ("deepsif", "sloreta"):
            with pytest.raises(SignalError, match=text):
                verb(thing, method, head, **_options(method, imager))
    wrong = {
        "window=7.0": {"window": 7.0},
        "window=0": {"window": 0},
        "overlap=1.0": {"overlap": 1.0},
        "overlap=-0.1": {"overlap": -0.1},
        "tmin=-1": {"tmin": -1},
        "tmax=600": {"tmax": 600},
        "method='eloreta'": {"method": "eloreta"},
    }
    for text, options in wrong.items():
        with pytest.raises((OptionError, WindowError), match=text):
            image_raw(raw, **{"method": "sloreta", "head": head} | options)
    with pytest.raises(OptionError, match="noise='shrunk' needs the baseline"):
        image_epochs(epochs, "lcmv", head, noise="shrunk")
    with pytest.raises(OptionError, match="noise='shrunk' needs the baseline"):
        image_epochs(epochs, model=imager, noise="shrunk")
    none_left = epochs.copy().drop(range(20), verbose="error")
    with pytest.raises(SignalError, match="all were rejected"):
        imager.apply_epochs(none_left)


def _responses(head):
    """Nine windows: a response in each, but noise in three, one channel thrice as large in two."""
    field = head.leadfield[:, [7, *head.cortex.neighbors[7]]].sum(axis=1)
    field = 2e-5 * (field - field.mean()) / np.ptp(field)
    windows = np.tile(np.outer(field, np.hanning(250)), (9, 1, 1))
    windows[[1, 4, 5]] = 0
    strongest = int(np.abs(field).argmax())
    windows[[2, 8], strongest] *= 3
    noise = np.random.default_rng(0).standard_normal(windows.shape)
    return windows + 1e-6 * noise, head.ch_names[strongest]


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("method", ["deepsif", "sloreta"])
def test_windows_that_do_not_fit_are_counted_once(head, imager, method):
    data, channel = _responses(head)
    options = _options(method, imager)
    epochs = mne.EpochsArray(data, head.info, verbose="error")
    with pytest.warns(UserWarning, match="windows") as at_once:
        images = image_epochs(epochs, method, head, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(images)) == 9

    data = data.swapaxes(0, 1).reshape(len(head.ch_names), -1)
    raw = mne.io.RawArray(data, head.info, verbose="error")
    images = image_raw(raw, method, head, window=0.5, overlap=0, **options)
    with pytest.warns(UserWarning, match="windows") as at_the_end:
        assert len(list(images)) == 9
    for noise, misfit in (at_once, at_the_end):
        assert "channels of 3 of 9 windows predict less than 50%" in str(noise.message)
        assert "in 2 of 9 windows" in str(misfit.message)
        assert f"most often {channel!r} (2)" in str(misfit.message)
    assert {warning.filename for warning in at_the_end} == {__file__}
