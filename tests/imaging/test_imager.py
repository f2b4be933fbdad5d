from __future__ import annotations

import warnings
from dataclasses import replace

import mne
import numpy as np
import pytest
import torch
from toys import air_head

from deepsif_lite.cortex import load_cortex
from deepsif_lite.errors import (
    ArtifactError,
    MismatchError,
    OptionError,
    SignalError,
    WindowError,
)
from deepsif_lite.head import TEN_TWENTY, load_head_model
from deepsif_lite.imaging import (
    Imager,
    image,
    image_epochs,
    image_raw,
    load_model,
    loading,
)
from deepsif_lite.imaging.loading import default_network
from deepsif_lite.network import (
    build_network,
    head_fingerprint,
    load_weights,
    save_weights,
)
from deepsif_lite.recordings import prepare
from deepsif_lite.signals import average_reference
from deepsif_lite.solvers import METHODS, get_solver, noise_covariance

N_REGIONS = 60


@pytest.fixture(scope="module")
def head():
    return air_head(N_REGIONS)


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


def test_many_windows_are_imaged_as_each_alone(imager):
    class Sure(torch.nn.Linear):
        def image(self, eeg):
            return self(eeg), self(eeg)[:, 0].sigmoid()

    model = Imager(Sure(32, N_REGIONS), imager.card, imager.head)
    eeg = np.random.default_rng(0).standard_normal((7, 10, 20, 32))
    activity, probability = model.predict_with_probability(eeg)
    assert activity.shape == (7, 10, 20, N_REGIONS)
    assert probability.shape == (7, 10, N_REGIONS)
    for k, j in ((0, 0), (3, 2), (6, 9)):
        alone = model.predict_with_probability(eeg[k, j])
        np.testing.assert_allclose(activity[k, j], alone[0], atol=1e-6)
        np.testing.assert_allclose(probability[k, j], alone[1], atol=1e-6)


def test_many_windows_keep_the_order_of_one_in_memory(imager):
    """The samples of a region follow each other; to turn them takes as long as to image."""

    class ByRegion(torch.nn.Linear):
        def image(self, eeg):
            return self(eeg).mT.contiguous().mT, None

    model = Imager(ByRegion(32, N_REGIONS), imager.card, imager.head)
    eeg = np.random.default_rng(0).standard_normal((40, 20, 32))
    before = torch.get_num_threads()
    for windows in (eeg[:1], eeg[:2], eeg):
        assert model.predict(windows).transpose(0, 2, 1).flags.c_contiguous
        assert torch.get_num_threads() == before


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
    with pytest.warns(UserWarning, match="trained on 250\\."):
        imager.apply(evoked.copy().crop(0, 0.1))


@pytest.mark.parametrize("surest", [0.4, 0.6])
def test_an_image_of_which_nothing_is_likely_comes_with_a_warning(
    imager, evoked, surest
):
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
    class Sure(torch.nn.Linear):
        def image(self, eeg):
            likely = torch.zeros(len(eeg), N_REGIONS)
            likely[:, [4, 9]] = eeg.abs().amax((1, 2))[:, None] * torch.tensor([0.6, 1])
            return self(eeg), likely

    without = imager.apply(evoked)
    assert without.probability is None
    with pytest.raises(ValueError, match="has no probability"):
        without.extent(of="probability")
    network = Sure(32, N_REGIONS, bias=False)
    card = imager.card | {"network": {"kind": "sure"}}
    result = Imager(network, card, imager.head).apply(evoked)
    assert result.probability.shape == (N_REGIONS,)
    np.testing.assert_allclose(result.probability[[0, 4, 9]], [0, 0.6, 1], rtol=1e-6)
    np.testing.assert_array_equal(result.extent(of="probability"), [4, 9])
    np.testing.assert_array_equal(result.extent(of="probability", threshold=0.7), [9])
    # A person's head differs from those of training, where a curve says by how much.
    card |= {"recalibration": {"curve": (1.0, 0.5, 0.0)}}
    result = Imager(network, card, imager.head).apply(evoked)
    odds = 0.6 / 0.4**0.5
    assert result.probability[4] == pytest.approx(odds / (1 + odds))
    eeg = np.random.default_rng(0).standard_normal((20, 32))
    given = Imager(network, card, imager.head).predict_with_probability(eeg)[1]
    assert given[4] == pytest.approx(0.6)  # of simulated heads
    with pytest.raises(ValueError, match="crop the recording"):
        result.extent(0, 0.1, of="probability")
    np.testing.assert_array_equal(
        result.crop(0, 0.1).to_table().sort_values("region").probability,
        result.probability,
    )


def test_network_is_carried_over_to_another_montage():
    """Half of the electrodes: the source stays where it was, training or not."""
    from deepsif_lite.spikes import load_spike_library
    from deepsif_lite.synthesis import SyntheticEEG

    head = load_head_model("template-64")
    with pytest.raises(ValueError, match="other channels"):
        load_model("lite-75-known-head", head=head)
    kept = load_model("lite-75")
    eeg = np.random.default_rng(0).standard_normal((100, 75))
    before = kept.predict(eeg)
    moved = load_model("lite-75", head=head, transfer=True)
    assert load_model("lite-75").network is kept.network is not moved.network
    np.testing.assert_array_equal(kept.predict(eeg), before)
    assert moved.card["ch_names"] == head.ch_names
    assert moved.card["transferred_from"] == "template-75"
    clips = load_spike_library("lite", split="test")
    stream = SyntheticEEG(head, clips, n_sources=1, seed=5, sensor_snr=(20.0,))
    for index in range(4):
        sample = stream[index]
        strongest = np.abs(moved.predict(sample.eeg)).max(axis=0).argmax()
        to_patch = head.cortex.distances[strongest, sample.patches[0]].min()
        assert to_patch < 0.02


def test_the_template_lies_under_the_cap_of_the_recording():
    """All verbs; the same as a head model, and a network, that are made by hand."""
    montage = mne.channels.make_standard_montage("biosemi32")
    info = mne.create_info(montage.ch_names, 500.0, "eeg").set_montage(montage)
    info["bads"] = ["Oz"]
    cap = load_head_model("template", channels=info)
    patch = [100, *cap.cortex.neighbors[100]]
    field = average_reference(cap.leadfield[:, patch].sum(axis=1))
    data = np.zeros((32, 500))
    good = [name != "Oz" for name in info.ch_names]
    data[good] = 1e-5 * np.outer(field / np.abs(field).max(), np.hanning(500))
    data += 5e-7 * np.random.default_rng(0).standard_normal(data.shape)
    evoked = mne.EvokedArray(data, info, verbose=False)
    moved = load_model("lite", head=cap)
    for method, by_hand in {
        "sloreta": {"head": cap},
        "deepsif": {"model": moved},
    }.items():
        expected = image(evoked, method, **by_hand)
        found = image(evoked, method, "template")
        np.testing.assert_array_equal(found.activity, expected.activity)
    assert expected.cortex.distances[expected.peak.region, patch].min() < 0.02
    epochs = mne.EpochsArray(data[None], info, verbose=False)
    raw = mne.io.RawArray(data, info, verbose=False)
    (epoch,) = image_epochs(epochs, "sloreta", "template")
    (window,) = image_raw(raw, "sloreta", "template")
    np.testing.assert_allclose(epoch.activity, window.activity)
    with pytest.raises(SignalError, match="image_raw"):
        image(raw, "sloreta", "template")


def test_model_is_saved_and_loaded(tmp_path, head):
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
    ready = prepare(evoked, head.info, baseline=(None, 0))
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
    # The mean of another window was taken away before the network takes its own.
    np.testing.assert_allclose(result.activity, expected.activity, atol=1e-6)
    with pytest.raises(MismatchError, match="'air'"):
        image(evoked, head=head)


def test_what_a_method_would_not_look_at_is_refused(evoked, head, imager):
    cases = {
        "method='eloreta'": {"method": "eloreta"},
        "takes no lambda2": {"model": imager, "lambda2": 1},
        "takes no model": {"method": "sloreta", "model": imager},
        "takes no reg": {"method": "sloreta", "reg": 0.1},
        "takes no depth": {"method": "lcmv", "depth": 0.8},
        "give one of them": {
            "method": "sloreta",
            "baseline": (None, 0),
            "noise_cov": np.eye(32),
        },
    }
    for text, options in cases.items():
        with pytest.raises(OptionError, match=text):
            image(evoked, head=head, **options)


@pytest.mark.parametrize("method", ["deepsif", "sloreta"])
def test_what_is_no_evoked_response_is_refused_with_its_cure(
    evoked, head, imager, method
):
    raw = mne.io.RawArray(evoked.data, evoked.info, verbose=False)
    epochs = mne.EpochsArray(evoked.data[None], evoked.info, verbose=False)
    options = {"model": imager} if method == "deepsif" else {}
    cures = ("RawArray.*mne.Epochs", "EpochsArray.*average", "list.*one of them")
    cures += ("ndarray.*EvokedArray", "str.*read_evoked")
    given = (raw, epochs, [evoked], evoked.data, "x-ave.fif")
    for thing, cure in zip(given, cures, strict=True):
        with pytest.raises(SignalError, match=cure):
            image(thing, method, head, **options)


@pytest.mark.parametrize("method", ["deepsif", "sloreta", "lcmv"])
def test_windows_outside_the_recording_are_refused(evoked, head, imager, method):
    options = {"model": imager} if method == "deepsif" else {}
    for window in ((-200, 300), (0, 200), (-0.5, 0.1), (0.1, 0.0), (0.0005, 0.0015)):
        with pytest.raises(WindowError, match=f"tmin={window[0]}"):
            image(evoked, method, head, tmin=window[0], tmax=window[1], **options)
    with pytest.raises(WindowError, match="look like ms"):
        image(evoked, method, head, tmin=-200, tmax=290, **options)
    with pytest.raises(WindowError, match="0.298 s\\.$"):  # seconds, but too many
        image(evoked, method, head, tmin=-0.3, tmax=0.2, **options)
    # 250 samples from -0.2 s: the window that ends at 0.3 s by another way to count.
    result = image(evoked, method, head, tmin=0, tmax=0.3, **options)
    assert result.times[[0, -1]] == pytest.approx([0, 0.298])


def test_baseline_comes_before_the_crop(evoked, head):
    cropped = image(evoked, "sloreta", head, tmin=0.05, tmax=0.2, baseline=(-0.2, 0))
    whole = image(evoked, "sloreta", head, baseline=(-0.2, 0))
    np.testing.assert_allclose(cropped.activity, whole.crop(0.05, 0.2).activity)
    for baseline in ((-0.5, 0), (-200, 0)):
        with pytest.raises(WindowError, match="baseline="):
            image(evoked, "sloreta", head, baseline=baseline)


def test_resampling_comes_before_the_crop(imager, evoked):
    """The edges of a resampled window ring; those of the recording lie outside."""
    fast = evoked.copy().resample(2000, verbose=False)
    result = imager.apply(fast, tmin=-0.1, tmax=0.2)
    assert result.sfreq == pytest.approx(500)
    expected = imager.predict(evoked.copy().crop(-0.1, 0.2).data.T).T
    peak = np.abs(expected).max()
    assert np.abs(result.activity - expected)[:, 5:-5].max() < 0.02 * peak


class TestShippedNetworks:
    """What holds for the networks in data/weights."""

    @pytest.fixture
    def evoked(self):
        head = load_head_model("template-64")
        patch = [577, *head.cortex.neighbors[577]]
        rng = np.random.default_rng(0)
        course = np.exp(-(((np.arange(500) - 250) / 12) ** 2))
        data = np.outer(head.leadfield[:, patch].sum(axis=1), course)
        data = 6e-5 * data / np.abs(data).max()
        data += 1e-6 * rng.standard_normal(data.shape)
        return mne.EvokedArray(data, head.info, tmin=-0.5, verbose=False)

    def test_each_head_has_one_by_default(self):
        for name in ("template-75", "template-64"):
            assert default_network(load_head_model(name)) == "lite"
        other = replace(load_head_model("template-64"), cortex=load_cortex(60))
        with pytest.raises(MismatchError, match="transfer"):
            default_network(replace(other, name="my-cap"))
        published = replace(other, name="published-75")
        assert default_network(published) == "lite-published-75"

    def test_a_head_that_is_given_is_used(self, evoked):
        head = load_head_model("template-64")
        order = np.random.default_rng(0).permutation(head.cortex.n_regions)
        scrambled = replace(head, leadfield=head.leadfield[:, order])
        with pytest.raises(ValueError, match="other channels"):
            image(evoked, head="template-64", model="lite-75-known-head")
        direct = image(evoked, head="template-64")
        same = image(evoked, head=replace(head, name="template-64"))
        np.testing.assert_array_equal(direct.activity, same.activity)
        for model in (None, "lite-64", load_model("lite-64")):
            moved = image(evoked, head=scrambled, model=model)
            assert np.abs(moved.activity - direct.activity).max() > 0.1
        # sLORETA takes any head: its regions are scrambled alike.
        plain = image(evoked, "sloreta", head)
        other = image(evoked, "sloreta", scrambled)
        np.testing.assert_allclose(other.activity, plain.activity[order], rtol=1e-6)

    def test_a_network_stays_in_memory(self, evoked, monkeypatch):
        image(evoked, model="lite-64")
        monkeypatch.setattr(loading, "_load", None)  # would fail if it were called
        first = load_model("lite-64")
        assert first.network is load_model("lite-64").network
        np.testing.assert_array_equal(
            image(evoked, head="template-64").activity, first.apply(evoked).activity
        )
        assert not first.network.training
        assert not any(p.requires_grad for p in first.network.parameters())

    def test_explanation_is_the_network_taken_apart(self, evoked):
        model = load_model("lite-64", device="cpu")
        result = model.explain(evoked.data.T)
        geometry = model.network.geometry
        white = average_reference(evoked.data).T @ geometry.whitener.numpy()
        white -= white.mean(axis=0)
        _, _, rows = np.linalg.svd(white, full_matrices=False)
        assert abs(rows[0] @ result.maps[0]) == pytest.approx(1, abs=0.02)
        course = white @ result.maps[0]
        assert abs(np.corrcoef(course, result.courses[0])[0, 1]) > 0.98
        assert result.maps.shape == (8, 64)
        assert result.courses.shape == (8, 500)
        fits = (geometry.patch_maps.numpy() @ result.maps[0]) ** 2
        assert result.fit[0] == pytest.approx(fits.max(), rel=1e-5)
        assert result.fit[0] > 0.9
        assert result.seeds[0] == fits.argmax() // geometry.n_shapes
        assert 577 in result.patches[0]
        with pytest.raises(SignalError, match="n_times, 64"):
            model.explain(evoked.data.T[None])

    def test_a_network_without_scalp_maps_does_not_explain(self, imager):
        with pytest.raises(MismatchError, match="Linear"):
            imager.explain(np.ones((10, 32)))


@pytest.fixture
def save(tmp_path, head):
    """Return a function that writes a small network and gives its folder."""

    def write(name, seed=0):
        spec = {"kind": "paper", "n_channels": 32, "n_regions": N_REGIONS}
        spec |= {"width": 8, "n_layers": 1}
        card = {"network": spec, "ch_names": head.ch_names, "sfreq": 500.0}
        card |= {"n_times": 250, "head": "air", "head_hash": head_fingerprint(head)}
        torch.manual_seed(seed)
        return save_weights(build_network(**spec), tmp_path / name, card)

    return write


def test_few_networks_stay_and_files_that_change_are_read_again(save, head):
    eeg = np.random.default_rng(0).standard_normal((20, 32))
    first = load_model(save("run", seed=0), head=head).predict(eeg)
    second = load_model(save("run", seed=1), head=head).predict(eeg)
    assert np.abs(first - second).max() > 1e-3
    for k in range(loading._N_KEPT + 2):
        load_model(save(f"run-{k}"), head=head)
    assert len(loading._kept) == loading._N_KEPT


def test_nobody_spoils_the_network_in_memory(save, head):
    eeg = np.random.default_rng(0).standard_normal((20, 32))
    folder = save("run")
    expected = load_model(folder, head=head).predict(eeg)
    spoils = (
        lambda model: model.card["ch_names"].reverse(),
        lambda model: model.network.train(),
        lambda model: next(model.network.parameters()).add_(1),
        lambda model: model.network.double(),
    )
    for spoil in spoils:
        spoil(load_model(folder, head=head))
        again = load_model(folder, head=head)
        assert not again.network.training
        np.testing.assert_allclose(again.predict(eeg), expected, atol=1e-6)
    scaled = replace(head, leadfield=1.0001 * head.leadfield)  # of the same hash
    own = load_model(folder, head=scaled)
    assert own.head is scaled


def test_output_that_is_not_finite_is_refused(imager):
    with torch.no_grad():
        imager.network.weight[3, 4] = torch.nan
    with pytest.raises(ArtifactError, match="restore its weights"):
        imager.predict(np.random.default_rng(0).standard_normal((20, 32)))


def test_a_probability_that_is_not_finite_is_refused(imager):
    class Unsure(torch.nn.Linear):
        def image(self, eeg):
            return self(eeg), torch.full((len(eeg), N_REGIONS), torch.nan)

    model = Imager(Unsure(32, N_REGIONS), imager.card, imager.head)
    with pytest.raises(ArtifactError, match="restore its weights"):
        model.predict(np.random.default_rng(0).standard_normal((20, 32)))


def test_an_image_of_a_solver_that_is_not_finite_is_refused(head, evoked, monkeypatch):
    def solve(eeg, head, *, noise_cov=None):
        return np.full((len(eeg), head.cortex.n_regions), np.inf)

    monkeypatch.setitem(METHODS, "lcmv", replace(METHODS["lcmv"], solve=solve))
    with pytest.raises(SignalError, match="'lcmv' gives values that are not finite"):
        image(evoked, "lcmv", head=head)


def _recorded(names):
    """Return a response of a patch of the template, and the template, at some channels."""
    head = load_head_model("template-75")
    patch = [577, *head.cortex.neighbors[577]]
    field = head.leadfield[:, patch].sum(axis=1)
    data = 1e-5 * np.outer(field / np.abs(field).max(), np.hanning(250))
    data += 2e-7 * np.random.default_rng(0).standard_normal(data.shape)
    evoked = mne.EvokedArray(data, head.info.copy(), verbose=False)
    rows = [head.ch_names.index(name) for name in names]
    return evoked, head, rows


@pytest.mark.parametrize("method", ["deepsif", "sloreta"])
def test_a_small_cap_is_imaged_by_its_rows_of_the_head_model(method):
    evoked, head, rows = _recorded(TEN_TWENTY)
    rows = sorted(rows)
    few = evoked.copy().pick([head.ch_names[i] for i in rows])
    found = image(few, method, head)
    leadfield = head.leadfield[rows]
    data = few.data - few.data.mean(axis=1, keepdims=True)
    data = average_reference(data, 0)
    if method == "sloreta":
        by_hand = replace(
            head,
            leadfield=leadfield,
            ch_names=few.ch_names,
            info=few.info,
            sensors=head.sensors[rows],
        )
        expected = get_solver("sloreta")(data.T, by_hand).T
    else:  # the same weights, given that leadfield
        network, _ = load_weights("lite")
        network.set_geometry(head.leadfield, head.cortex)
        network.set_geometry(leadfield, head.cortex)
        eeg = torch.as_tensor(data.T / np.abs(data).max()).float()[None]
        with torch.no_grad():
            expected = network.eval()(eeg)[0].T.numpy()
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found.activity, expected, atol=1e-4 * scale)


@pytest.mark.parametrize("method", ["deepsif", "sloreta"])
@pytest.mark.parametrize("head", [None, "template-75"])
def test_a_bad_channel_changes_nothing_but_is_left_out(method, head):
    evoked, _, _ = _recorded([])
    marked = evoked.copy()
    marked.data[[3, 40]] = np.nan
    marked.info["bads"] = [marked.ch_names[i] for i in (3, 40)]
    without = evoked.copy().drop_channels(marked.info["bads"])
    found, expected = (image(each, method, head) for each in (marked, without))
    np.testing.assert_array_equal(found.activity, expected.activity)
