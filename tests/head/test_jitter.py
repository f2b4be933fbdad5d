import numpy as np
import pytest
from toys import toy_clips, toy_head

import deepsif_lite as dl
from deepsif_lite.head import ElectrodeJitter, load_head_variant
from deepsif_lite.signals import average_reference


@pytest.fixture(scope="module")
def coarse():
    return load_head_variant("coarse")


def test_spline_agrees_with_the_boundary_element_method(coarse):
    """The same electrodes, moved by 5 mm, in a head model computed for them."""
    moved = load_head_variant("jitter-5mm")
    matrix = ElectrodeJitter(coarse.sensors).at(moved.sensors)
    truth = average_reference(moved.leadfield)

    def difference(leadfield):
        off = np.linalg.norm(average_reference(leadfield) - truth, axis=0)
        return np.median(off / np.linalg.norm(truth, axis=0))

    assert difference(coarse.leadfield) > 0.07
    assert difference(matrix @ coarse.leadfield) < 0.015


def test_electrodes_move_along_the_scalp_by_the_distance_asked_for(coarse, monkeypatch):
    jitter, seen = ElectrodeJitter(coarse.sensors), []
    monkeypatch.setattr(ElectrodeJitter, "at", lambda self, places: seen.append(places))
    rng = np.random.default_rng(0)
    for _ in range(50):
        jitter.draw(0.008, rng)
    moves = np.array(seen) - coarse.sensors
    assert np.sqrt((moves**2).sum(-1).mean()) == pytest.approx(0.008, rel=0.03)
    radial = coarse.sensors - coarse.sensors.mean(axis=0)
    np.testing.assert_allclose((moves * radial).sum(-1), 0, atol=1e-12)


def test_constants_stay_and_no_move_changes_nothing(coarse):
    jitter, rng = ElectrodeJitter(coarse.sensors), np.random.default_rng(0)
    n_channels = len(coarse.sensors)
    np.testing.assert_allclose(jitter.draw(0.0, rng), np.eye(n_channels), atol=1e-8)
    np.testing.assert_allclose(jitter.draw(0.01, rng).sum(axis=1), 1, atol=1e-8)


def test_synthesis_moves_the_electrodes_of_each_sample():
    head, clips = toy_head(), toy_clips()
    options = {"seed": 3, "sensor_snr": (200.0,)}
    planned = dl.SyntheticEEG(head, clips, **options)
    stream = dl.SyntheticEEG(head, clips, electrode_jitter=(0.0, 0.02), **options)
    ours, theirs = stream.batch(range(6)), planned.batch(range(6))
    # Sources are the planned ones; the EEG is a linear mixture of what was planned.
    np.testing.assert_array_equal(ours.weights, theirs.weights)
    matrices = []
    for moved, still in zip(ours.eeg.numpy(), theirs.eeg.numpy(), strict=True):
        matrix, *_ = np.linalg.lstsq(still, moved, rcond=1e-5)
        np.testing.assert_allclose(still @ matrix, moved, atol=2e-4)
        assert np.abs(still - moved).max() > 1e-3
        matrices.append(matrix)
    assert np.abs(matrices[0] - matrices[1]).max() > 0.05
    # Alone or in a batch, a sample is the same.
    np.testing.assert_array_equal(stream.batch([4]).eeg[0], ours.eeg[4])


def test_bad_distances_are_refused():
    with pytest.raises(ValueError, match="electrode_jitter"):
        dl.SyntheticEEG(toy_head(), toy_clips(), electrode_jitter=(0.01, 0.0))
