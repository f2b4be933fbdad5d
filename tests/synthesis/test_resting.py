"""Resting EEG under other caps: as those would have recorded it."""

import mne
import numpy as np
import pytest
from scipy.spatial.distance import cdist

import deepsif_lite as dl
from deepsif_lite.errors import MismatchError, RecordingUnavailable
from deepsif_lite.head import template_cap
from deepsif_lite.recordings import load_resting_eeg
from deepsif_lite.recordings.splines import spline_matrix
from deepsif_lite.signals import average_reference
from deepsif_lite.synthesis.resting import RestingEEG


@pytest.fixture(scope="module")
def head():
    return dl.load_head_model("template-75")


@pytest.fixture(scope="module")
def recorded():
    """Real resting EEG, the authors'."""
    try:
        return average_reference(load_resting_eeg(), -1)
    except RecordingUnavailable as error:
        pytest.skip(str(error))


def cortical(head, n_clips=3, n_times=200):
    """Activity of all regions, smooth in space, and what electrodes record of it."""
    near = np.exp(-((head.cortex.distances / 0.02) ** 2))
    rng = np.random.default_rng(0)
    return rng.standard_normal((n_clips, n_times, head.cortex.n_regions)) @ near


def seen(activity, leadfield):
    return average_reference(activity @ leadfield.T, -1)


def unexplained(found, truth):
    return np.sum((found - truth) ** 2) / np.sum(truth**2)


def spread(points):
    return points / np.linalg.norm(points, axis=-1, keepdims=True)


def test_another_cap_records_what_sources_of_the_cortex_send_there(head):
    """Of 128 electrodes, many far from those of the 75."""
    montage = mne.channels.make_standard_montage("biosemi128")
    info = mne.create_info(montage.ch_names, 500.0, "eeg").set_montage(montage)
    other = template_cap(info, match="position")
    activity = cortical(head)
    resting = RestingEEG(seen(activity, head.leadfield), head)
    assert resting.explained > 0.95
    maps = resting.maps(average_reference(other.leadfield))
    found = seen(activity, head.leadfield) @ maps.T
    truth = seen(activity, other.leadfield)
    assert unexplained(found, truth) < 0.02
    away = cdist(other.sensors, head.sensors).min(axis=1)
    new = away > np.quantile(away, 0.75)
    assert unexplained(found[..., new], truth[..., new]) < 0.05


def test_real_electrodes_left_out_are_predicted_as_by_splines_or_better(head, recorded):
    """At random places, and below all others."""
    rng = np.random.default_rng(0)
    center = head.sensors.mean(axis=0) - [0, 0, 0.02]
    orders = [rng.permutation(len(head.ch_names)) for _ in range(4)]
    orders.append(np.argsort(-head.sensors[:, 2]))
    ours, splines, powers = [], [], []
    for order in orders:
        kept, left = np.sort(order[:50]), np.sort(order[50:])
        reference = recorded[..., kept].mean(-1, keepdims=True)
        eeg, truth = recorded[..., kept] - reference, recorded[..., left] - reference
        resting = RestingEEG(eeg, head.pick([head.ch_names[k] for k in kept]))
        to_left = head.leadfield[left] - head.leadfield[kept].mean(axis=0)
        found = eeg @ resting.maps(to_left).T
        ours.append(unexplained(found, truth))
        own = (1 - resting.explained) * np.mean(eeg**2)
        powers.append((np.mean(found**2) + own) / np.mean(truth**2))
        places = spread(head.sensors - center)
        matrix = spline_matrix(places[kept], places[left])
        splines.append(unexplained(eeg @ matrix.T, truth))
    assert np.mean(ours[:4]) < 1.05 * np.mean(splines[:4])
    assert ours[4] < 0.9 * splines[4]
    assert np.mean(powers) == pytest.approx(1, abs=0.15)


def test_channels_keep_the_ratio_of_their_powers(head, recorded):
    resting = RestingEEG(recorded, head)
    maps = resting.maps(average_reference(head.leadfield))
    rng = np.random.default_rng(0)
    power = np.mean([(resting.draw(maps, rng) ** 2).mean(0) for _ in range(100)], 0)
    assert power.mean() == pytest.approx(1, rel=0.02)
    scaled = recorded / np.sqrt((recorded**2).mean(axis=(1, 2), keepdims=True))
    before = (scaled**2).mean(axis=(0, 1))
    assert np.corrcoef(np.log(power), np.log(before))[0, 1] > 0.7
    # From one channel to the others there is a factor of three; the paper's rule makes
    # them alike.
    assert before.max() / before.min() > 3
    assert np.median(np.abs(np.log(power / before))) < np.log(1.15)


def test_draws_keep_the_spectrum_and_differ(head, recorded):
    resting = RestingEEG(recorded, head)
    maps = resting.maps(average_reference(head.leadfield))
    one, other = (resting.draw(maps, np.random.default_rng(k)) for k in (0, 1))
    assert one.shape == (500, 75)
    assert one.dtype == np.float32
    assert np.mean(one**2) == pytest.approx(1, abs=0.05)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.6
    np.testing.assert_array_equal(one, resting.draw(maps, np.random.default_rng(0)))

    def low(eeg):  # share of the power below 20 Hz
        spectrum = np.abs(np.fft.rfft(eeg, axis=-2)) ** 2
        return spectrum[..., :20, :].sum() / spectrum.sum()

    many = np.stack([resting.draw(maps, np.random.default_rng(k)) for k in range(30)])
    # Some is each electrode's own, and white.
    own = 1 - resting.explained
    expected = resting.explained * low(recorded) + own * 20 / 251
    assert low(many) == pytest.approx(expected, abs=0.08)


def test_what_does_not_belong_together_is_refused(head):
    with pytest.raises(MismatchError, match=r"\(n_clips, n_times, 75\)"):
        RestingEEG(np.ones((2, 500, 64)), head)
