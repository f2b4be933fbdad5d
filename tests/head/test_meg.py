from __future__ import annotations

from dataclasses import replace

import mne
import numpy as np
import pytest
from toys import toy_clips, toy_head

from deepsif_lite import head
from deepsif_lite.artifacts import read_arrays, read_artifact
from deepsif_lite.errors import ChannelError, MismatchError
from deepsif_lite.head import meg as magnetic
from deepsif_lite.imaging import image, load_model
from deepsif_lite.network import load_card, load_weights
from deepsif_lite.solvers import get_solver, whiten
from deepsif_lite.synthesis import SyntheticEEG, Variety
from deepsif_lite.training import TrainingConfig, train


def test_helmet_surrounds_the_upper_head_evenly():
    from scipy.spatial import cKDTree

    shells = head.template_shells(8)
    places, directions = magnetic.helmet(shells, 148)
    assert len(places) == 148
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    gap = np.linalg.norm(places - shells.project(places), axis=1)
    np.testing.assert_allclose(gap, 25e-3, atol=1e-3)
    nearest = cKDTree(places).query(places, 2)[0][:, 1]
    assert nearest.min() > 0.7 * nearest.max()


def test_meg_hardly_sees_what_points_outward():
    """In a sphere a radial dipole is silent; in a head it is nearly so."""
    meg, eeg = magnetic.load_meg_head(), head.load_head_model("template-75")
    assert meg.leadfield.shape == (148, eeg.cortex.n_regions)
    cortex = eeg.cortex
    normal = head.sum_over_parcels(cortex.normals.T, cortex)
    normal /= np.linalg.norm(normal, axis=0)
    outward = (cortex.centroids - head.load_shells().center).T
    outward /= np.linalg.norm(outward, axis=0)
    radial = np.abs((normal * outward).sum(axis=0))
    ratio = meg.sensitivity / eeg.sensitivity
    near = eeg.depth < 0.04
    out, along = near & (radial > 0.9), near & (radial < 0.3)
    assert np.median(ratio[along]) > 3 * np.median(ratio[out])
    # 10 nA m a vertex give some hundred femtotesla, as measured in people.
    assert 1e-15 < 1e-9 * np.median(meg.sensitivity) < 1e-12


def test_meg_info_points_the_coils_away_from_the_head():
    info = magnetic.load_meg_head().info
    for channel in info["chs"][:5]:
        place, axes = channel["loc"][:3], channel["loc"][3:].reshape(3, 3)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-6)
        assert axes[2] @ (place - (0, 0, 0.04)) > 0.08


@pytest.mark.slow
def test_the_stored_leadfield_can_be_built_again(tmp_path):
    pytest.importorskip("openmeeg")
    new = read_arrays(magnetic.store_meg(tmp_path))
    old = read_artifact("head/meg.npz", "meg")
    for key in ("places", "directions"):
        np.testing.assert_allclose(new[key], old[key], atol=1e-9)
    off = np.linalg.norm(new["leadfield"] - old["leadfield"], axis=0)
    off /= np.linalg.norm(old["leadfield"], axis=0)
    assert np.median(off) < 1e-3
    assert off.max() < 5e-3  # integrated with other rules since


def test_the_head_has_a_name_and_no_electrodes():
    found = head.load_head_model("template-meg-148")
    assert found.modality == "meg"
    np.testing.assert_array_equal(found.leadfield, magnetic.load_meg_head().leadfield)
    with pytest.raises(MismatchError, match="its own parcels"):
        head.load_head_model("template-meg-148", cortex=found.cortex)


def test_a_pack_for_training_keeps_the_modality(tmp_path):
    whole = magnetic.load_meg_head()
    packed = head.load_training_head(head.pack_head(whole, tmp_path / "meg.npz"))
    assert packed.modality == "meg"
    np.testing.assert_array_equal(packed.leadfield, whole.leadfield)


@pytest.mark.parametrize("method", ["sloreta", "mne", "lcmv"])
def test_what_all_magnetometers_share_is_not_taken_away(method):
    """A field alike at all sensors counts; as EEG it would be a reference."""
    meg = magnetic.load_meg_head()
    assert whiten(np.zeros((2, 148)), meg, None)[1].shape == meg.leadfield.shape
    rng = np.random.default_rng(0)
    source = np.outer(np.hanning(300), meg.leadfield[:, 120])
    data = source + 0.01 * source.std() * rng.standard_normal(source.shape)
    alike = 3 * source.max() * np.hanning(300)[:, None]
    solve = get_solver(method)
    activity = solve(data, meg)
    assert not np.allclose(
        solve(data + alike, meg), activity, atol=0.01 * np.abs(activity).max()
    )
    if method != "mne":  # which is known to be off
        assert np.abs(activity).max(axis=0).argmax() == 120


def test_a_network_for_meg_learns_without_a_reference(tmp_path):
    toy = toy_head()
    toy.modality, toy.name = "meg", "toy helmet"
    config = TrainingConfig(
        n_steps=2, batch_size=4, validation_size=4, score_size=4,
        options={"n_shapes": 4}, electrode_jitter=(0.0, 0.0),
    )  # fmt: skip
    clips = toy_clips()
    train(toy, clips, tmp_path / "run", config=config, progress=False)
    card = load_card(tmp_path / "run")
    assert card["reference"] == "none"
    assert card["network"]["modality"] == "meg"
    network, _ = load_weights(tmp_path / "run")
    network.set_geometry(toy.leadfield, toy.cortex)
    white = network.geometry.parcel_maps.T.numpy()
    expected = network.geometry.whitener.numpy() @ toy.leadfield
    expected /= np.linalg.norm(expected, axis=0).mean()
    np.testing.assert_allclose(white, expected, rtol=1e-4, atol=1e-5)
    eeg = SyntheticEEG(toy, clips, n_sources=1)[0].eeg
    assert np.abs(eeg.mean(axis=1)).max() > 0.01
    for wrong in (replace(config, network="paper"), replace(config, variety=Variety())):
        with pytest.raises(MismatchError, match="no electrodes"):
            train(toy, clips, tmp_path / "no", config=wrong, progress=False)


def test_a_recording_of_magnetometers_alone_is_refused_with_the_way_out():
    info = magnetic.load_meg_head().info
    evoked = mne.EvokedArray(1e-13 * np.ones((148, 100)), info, verbose="error")
    for method in ("deepsif", "sloreta"):
        with pytest.raises(ChannelError, match="MEG alone, .*transfer=True"):
            image(evoked, method)


def test_a_network_of_eeg_images_meg_after_a_transfer_alone():
    meg = magnetic.load_meg_head()
    with pytest.raises(MismatchError, match="is of MEG, but the network images EEG"):
        load_model("lite", head=meg)
    model = load_model("lite", head=meg, transfer=True)
    assert model.card["reference"] == "none"
    assert model.network.geometry.modality == "meg"
    patch = [120, *meg.cortex.neighbors[120]]
    field = meg.leadfield[:, patch].sum(axis=1)
    course = np.hanning(120) - 0.5 * np.roll(np.hanning(120), 30)
    rng = np.random.default_rng(0)
    data = np.outer(course, field)
    data += 0.05 * data.std() * rng.standard_normal(data.shape)
    found = np.abs(model.predict(data)).max(axis=0).argmax()
    assert meg.cortex.distances[found, patch].min() < 0.01
