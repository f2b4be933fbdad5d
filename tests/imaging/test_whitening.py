"""Networks that know the noise of a baseline: data and leadfield are whitened."""

from __future__ import annotations

import mne
import numpy as np
import pytest
import torch
from sklearn.covariance import ledoit_wolf
from toys import air_head

import deepsif_lite as dl
from deepsif_lite.errors import MismatchError, SignalError
from deepsif_lite.imaging import Imager, image, image_epochs, image_raw
from deepsif_lite.network.cards import cortex_fingerprint
from deepsif_lite.recordings import prepare

# The recordings of these tests are noise for the most part.
pytestmark = pytest.mark.filterwarnings(
    "ignore:(The channels (of|predict)|(One c|C)hannel .*does not fit)"
)

N_REGIONS, RATE, QUIET = 60, 500.0, (None, -0.002)


class MatchedFilter(torch.nn.Module):
    """The best way to see one known map in white noise, and for any leadfield."""

    def __init__(self, leadfield):
        super().__init__()
        gain = torch.as_tensor(leadfield - leadfield.mean(axis=0), dtype=torch.float32)
        self.maps = gain / gain.norm(dim=0)

    def serving(self, leadfield):
        return MatchedFilter(leadfield)

    def image(self, eeg):
        return eeg @ self.maps, (eeg @ self.maps).abs().amax(dim=1).tanh()


@pytest.fixture(scope="module")
def head():
    return air_head(N_REGIONS, RATE)


@pytest.fixture(scope="module")
def imager(head):
    card = {"sfreq": RATE, "n_times": 75, "network": {}}
    card["cortex_hash"] = cortex_fingerprint(head.cortex)
    card |= {"head": head.name, "ch_names": head.ch_names}
    return Imager(MatchedFilter(head.leadfield), card, head)


def _response(head, region, disturbing, seed=0):
    """A response of one region (0 to 100 ms) while another is busy all the time."""
    rng = np.random.default_rng(seed)
    times = np.arange(-250, 150) / RATE
    course = np.where((times >= 0) & (times < 0.1), np.sin(np.pi * times / 0.1), 0)
    gain = head.referenced_leadfield / head.referenced_leadfield.std(axis=0)
    data = np.outer(gain[:, region], course)
    data += np.outer(gain[:, disturbing], 2 * rng.standard_normal(len(times)))
    data += 0.05 * rng.standard_normal(data.shape)
    return mne.EvokedArray(1e-6 * data, head.info.copy(), tmin=times[0], verbose=False)


def _whitened(head, quiet, eeg):
    """Whiten by MNE's symmetric matrix."""
    cov = ledoit_wolf(1e6 * (quiet - quiet.mean(axis=0)))[0]
    one = mne.EvokedArray(np.zeros((32, 1)), head.info.copy(), verbose="error")
    info = one.set_eeg_reference("average", projection=True, verbose="error").info
    noise = mne.Covariance(
        1e-12 * cov, head.ch_names, [], info["projs"], len(quiet) - 1
    )
    matrix = mne.cov.compute_whitener(noise, info, pca=False, verbose="error")[0]
    eeg, gain = eeg @ matrix, matrix @ head.referenced_leadfield
    return eeg @ (gain / np.linalg.norm(gain, axis=0))


def test_a_network_images_whitened_data_by_the_whitened_leadfield(head, imager):
    evoked = _response(head, 7, 40)
    found = image(evoked, model=imager, tmin=0, tmax=0.15, baseline=QUIET)
    ready = prepare(evoked, head.info)
    quiet, eeg = (ready.copy().crop(*w).data.T for w in (QUIET, (0, 0.15)))
    expected = _whitened(head, quiet, eeg - eeg.mean(axis=0)).T
    scale = np.abs(found.activity).max() / np.abs(expected).max()
    peak = np.abs(found.activity).max()
    np.testing.assert_allclose(found.activity, scale * expected, atol=2e-5 * peak)


@pytest.mark.parametrize("seed", range(3))
def test_what_goes_on_all_the_time_is_not_the_response(head, imager, seed):
    evoked = _response(head, 7, 40, seed)
    options = {"model": imager, "tmin": 0, "tmax": 0.15}
    assert image(evoked, **options).peak.region == 40
    found = image(evoked, baseline=QUIET, **options)
    assert found.peak.region == 7
    assert found.trust.signal_to_noise < 0  # the noise is stronger


def test_the_shipped_network_takes_a_baseline():
    """Alpha of the occipital lobe, as strong as the response of the hand's area."""
    head = dl.load_head_model("template-64")
    hand, occipital = (
        int(np.linalg.norm(head.cortex.centroids - place, axis=1).argmin())
        for place in ((-0.042, -0.024, 0.054), (0.018, -0.095, 0.010))
    )
    evoked = _response(head, hand, occipital)
    near = np.linalg.norm(head.cortex.centroids - head.cortex.centroids[hand], axis=1)
    found = dl.image(evoked, tmin=-0.3, tmax=0.298, baseline=QUIET)
    assert near[found.peak.region] < 0.015
    other = dl.image(evoked, tmin=-0.3, tmax=0.298)
    assert near[other.peak.region] > 0.05


def test_only_the_shape_of_the_noise_counts(head, imager):
    evoked = _response(head, 7, 40)
    quiet = prepare(evoked, head.info).crop(*QUIET)
    cov = np.cov(quiet.data) + 1e-15 * np.eye(32)
    named = mne.Covariance(25 * cov, head.ch_names, [], [], 1)
    given = [
        image(evoked, model=imager, tmin=0, tmax=0.15, noise_cov=noise)
        for noise in (cov, named)
    ]
    peak = np.abs(given[0].activity).max()
    np.testing.assert_allclose(given[0].activity, given[1].activity, atol=1e-4 * peak)


def test_epochs_share_the_noise_of_all(head, imager):
    evokeds = [_response(head, 7, 40, seed) for seed in range(4)]
    epochs = mne.EpochsArray(
        [evoked.data for evoked in evokeds], head.info, tmin=-0.5, verbose="error"
    )
    options = {"model": imager, "tmin": 0, "tmax": 0.15}
    images = list(image_epochs(epochs, baseline=QUIET, **options))
    assert [found.peak.region for found in images] == [7] * 4
    quiet = prepare(epochs, head.info).get_data(tmax=-0.002)
    cov = ledoit_wolf(1e6 * np.hstack(quiet).T)[0]
    alone = image(evokeds[2], noise_cov=1e-12 * cov, **options)
    peak = np.abs(alone.activity).max()
    np.testing.assert_allclose(
        images[2].activity, alone.activity, atol=1e-3 * peak
    )  # the mean of the baselines counts for nothing


@pytest.mark.filterwarnings("ignore:Channels .* are flat")
def test_windows_of_raw_are_whitened_by_a_quiet_part(head, imager):
    evokeds = [_response(head, 7, 40, seed) for seed in range(3)]
    data = np.hstack([evoked.data for evoked in evokeds])  # 0.8 s each
    raw = mne.io.RawArray(data, head.info, verbose="error")
    options = {"model": imager, "window": 0.2, "overlap": 0, "tmin": 0.5}
    first = next(image_raw(raw, baseline=(0, 0.45), **options))
    assert first.peak.region == 7
    raw._data[5, :200] = 0  # flat in the quiet part: its noise is not known
    first = next(image_raw(raw, baseline=(0, 0.35), **options))
    assert first.peak.region == 7
    assert first.trust.n_channels == 31


def test_a_network_of_one_leadfield_takes_no_noise(head):
    card = {"ch_names": head.ch_names, "sfreq": RATE, "n_times": 250, "head": "air"}
    network = Imager(MatchedFilter(head.leadfield), card, head)
    evoked = _response(head, 7, 40)
    for noise in ({"baseline": QUIET}, {"noise_cov": np.eye(32)}):
        with pytest.raises(MismatchError, match="model='lite'"):
            image(evoked, model=network, **noise)


def test_noise_that_leaves_a_channel_without_is_refused(head, imager):
    evoked = _response(head, 7, 40)
    with pytest.raises(SignalError, match="not positive definite"):
        image(
            evoked,
            model=imager,
            tmin=0,
            tmax=0.15,
            noise_cov=np.outer(np.arange(32), np.arange(32)),
        )
