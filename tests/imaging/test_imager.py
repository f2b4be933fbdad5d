from __future__ import annotations

import mne
import numpy as np
import pytest

from deepsif_lite.cortex import load_cortex
from deepsif_lite.head import HeadModel
from deepsif_lite.imaging import Imager, image, load_model
from deepsif_lite.recordings import prepare
from deepsif_lite.solvers import get_solver, noise_covariance

N_REGIONS = 60


@pytest.fixture(scope="module")
def head():
    """A head in air: the potential of a dipole in an endless conductor."""
    cortex = load_cortex(N_REGIONS)
    montage = mne.channels.make_standard_montage("biosemi32")
    info = mne.create_info(montage.ch_names, 500.0, "eeg").set_montage(montage)
    electrodes = 1.1 * np.array([ch["loc"][:3] for ch in info["chs"]])
    apart = electrodes[:, None] - cortex.centroids
    outward = cortex.centroids / np.linalg.norm(cortex.centroids, axis=1, keepdims=True)
    leadfield = (apart * outward).sum(axis=-1) / np.linalg.norm(apart, axis=-1) ** 3
    return HeadModel("air", leadfield, info.ch_names, info, cortex, electrodes)


@pytest.fixture
def evoked(head):
    """One active region from 0 to 0.1 s over noise, in V."""
    rng = np.random.default_rng(0)
    times = np.arange(-100, 150) / 500.0
    course = np.where((times >= 0) & (times < 0.1), np.sin(np.pi * times / 0.1), 0)
    data = np.outer(head.leadfield[:, 7], course)
    data = 1e-5 * data / np.abs(data).max()
    data += 2e-7 * rng.standard_normal(data.shape)
    return mne.EvokedArray(data, head.info.copy(), tmin=times[0], verbose=False)


@pytest.fixture
def imager(head):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)

    class Linear(torch.nn.Linear):
        def image(self, eeg):
            return self(eeg), None

    network = Linear(32, N_REGIONS, bias=False)
    card = {"ch_names": head.ch_names, "sfreq": 500.0, "n_times": 250, "head": "air"}
    card["network"] = {"kind": "linear"}
    return Imager(network, card, head)


def test_prediction_is_the_network_on_normalized_windows(imager):
    rng = np.random.default_rng(0)
    eeg = 1e-5 * rng.standard_normal((3, 2, 40, 32)) + 3e-5
    weight = imager.network.weight.detach().numpy()
    centered = eeg - eeg.mean(axis=-2, keepdims=True)
    centered -= centered.mean(axis=-1, keepdims=True)
    centered /= np.abs(centered).max(axis=(-2, -1), keepdims=True)
    activity = imager.predict(eeg)
    assert activity.shape == (3, 2, 40, N_REGIONS)
    np.testing.assert_allclose(activity, centered @ weight.T, atol=1e-5)
    np.testing.assert_allclose(imager.predict(eeg[1, 1]), activity[1, 1], atol=1e-6)


def test_prediction_refuses_what_does_not_fit(imager):
    with pytest.raises(ValueError, match="n_times, 32"):
        imager.predict(np.zeros((10, 31)))
    with pytest.raises(ValueError, match="NaN"):
        imager.predict(np.full((10, 32), np.nan))


def test_apply_brings_the_recording_to_the_network(imager, evoked):
    shuffled = evoked.copy().reorder_channels(evoked.ch_names[::-1])
    shuffled.data += 1e-5  # an offset that the average reference removes
    result = imager.apply(shuffled)
    expected = imager.predict(evoked.data.T).T
    np.testing.assert_allclose(result.activity, expected, atol=1e-5)
    np.testing.assert_allclose(result.times, evoked.times)
    with pytest.warns(UserWarning, match="trained on 250"):
        imager.apply(evoked.copy().crop(0, 0.1))


@pytest.mark.parametrize("surest", [0.4, 0.6])
def test_an_image_of_which_nothing_is_likely_comes_with_a_warning(
    imager, evoked, surest
):
    import warnings

    import torch

    class Doubtful(torch.nn.Linear):
        def image(self, eeg):
            likely = torch.full((len(eeg), N_REGIONS), 0.01)
            likely[:, 3] = surest
            return self(eeg), likely

    network = Doubtful(32, N_REGIONS, bias=False)
    doubtful = Imager(network, imager.card, imager.head)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        doubtful.apply(evoked)
    told = [str(w.message) for w in caught if "surest" in str(w.message)]
    assert len(told) == (surest < 0.5)
    assert all("the surest: 40%" in message for message in told)


def test_image_carries_the_probability_of_its_network(imager, evoked):
    import torch

    class Sure(torch.nn.Linear):
        def image(self, eeg):
            likely = torch.zeros(len(eeg), N_REGIONS)
            likely[:, [4, 9]] = eeg.abs().amax((1, 2))[:, None] * torch.tensor([0.6, 1])
            return self(eeg), likely

    without = imager.apply(evoked)
    assert without.probability is None
    with pytest.raises(ValueError, match="has none"):
        without.extent(of="probability")
    network = Sure(32, N_REGIONS, bias=False)
    card = imager.card | {"network": {"kind": "sure"}}
    result = Imager(network, card, imager.head).apply(evoked)
    assert result.probability.shape == (N_REGIONS,)
    np.testing.assert_allclose(result.probability[[0, 4, 9]], [0, 0.6, 1], rtol=1e-6)
    np.testing.assert_array_equal(result.extent(of="probability"), [4, 9])
    np.testing.assert_array_equal(result.extent(of="probability", threshold=0.7), [9])
    with pytest.raises(ValueError, match="crop the recording"):
        result.extent(0, 0.1, of="probability")
    np.testing.assert_array_equal(
        result.crop(0, 0.1).to_table().sort_values("region").probability,
        result.probability,
    )


def test_network_is_carried_over_to_another_montage():
    """Half of the electrodes: the source stays where it was, training or not."""
    from deepsif_lite.head import load_head_model
    from deepsif_lite.spikes import load_spike_library
    from deepsif_lite.synthesis import SyntheticEEG

    head = load_head_model("template-64")
    with pytest.raises(ValueError, match="other channels"):
        load_model("lite-75", head=head)
    moved = load_model("lite-75", head=head, transfer=True)
    assert moved.card["ch_names"] == head.ch_names
    assert moved.card["transferred_from"] == "template-75"
    clips = load_spike_library("lite", split="test")
    stream = SyntheticEEG(head, clips, n_sources=1, seed=5, sensor_snr=(20.0,))
    for index in range(4):
        sample = stream[index]
        strongest = np.abs(moved.predict(sample.eeg)).max(axis=0).argmax()
        to_patch = head.cortex.distances[strongest, sample.patches[0]].min()
        assert to_patch < 0.02


def test_model_is_saved_and_loaded(tmp_path, head):
    pytest.importorskip("torch")
    from deepsif_lite.network import build_network, head_fingerprint, save_weights

    arguments = {"kind": "paper", "n_channels": 32, "n_regions": N_REGIONS}
    arguments |= {"width": 8, "n_layers": 1}
    card = {
        "network": arguments,
        "ch_names": head.ch_names,
        "sfreq": 500.0,
        "n_times": 250,
        "head": head.name,
        "head_hash": head_fingerprint(head),
    }
    network = build_network(**arguments)
    save_weights(network, tmp_path, card)
    loaded = load_model(tmp_path, head=head)
    eeg = np.random.default_rng(0).standard_normal((20, 32))
    direct = Imager(network, card, head).predict(eeg)
    np.testing.assert_allclose(loaded.predict(eeg), direct, atol=2e-3)  # half precision
    with pytest.raises(FileNotFoundError, match="No network"):
        load_model("nothing-75")


@pytest.mark.parametrize("method", ["sloreta", "lcmv"])
def test_image_is_the_solver_on_the_prepared_recording(evoked, head, method):
    result = image(evoked, method, head, tmin=0, tmax=0.1, baseline=(None, 0))
    ready = prepare(evoked, head.info)
    cov = noise_covariance(ready.copy().crop(None, 0).data.T)
    ready.crop(0, 0.1)
    expected = get_solver(method)(ready.data.T, head, noise_cov=cov).T
    np.testing.assert_allclose(result.activity, expected)
    assert result.times[[0, -1]] == pytest.approx([0, 0.1])
    assert result.method == method
    assert result.peak.region == 7
    assert result.peak.time == pytest.approx(0.05, abs=0.01)


def test_image_by_a_network(evoked, head, imager):
    result = image(evoked, head=head, model=imager, tmin=-0.1)
    expected = imager.apply(evoked.copy().crop(-0.1, None))
    np.testing.assert_array_equal(result.activity, expected.activity)
    with pytest.raises(ValueError, match="'air'"):
        image(evoked, head=head)
    with pytest.raises(ValueError, match="lambda2"):
        image(evoked, head=head, model=imager, lambda2=1)
    with pytest.raises(ValueError, match="sloreta"):
        image(evoked, "dspm", head)
