"""Reliability against scikit-learn and a forecaster that is right by construction."""

from types import SimpleNamespace

import numpy as np
import pytest

import deepsif_lite as dl
from deepsif_lite.evaluation import (
    expected_calibration_error,
    probability_and_truth,
    reliability,
)


@pytest.fixture
def forecast():
    rng = np.random.default_rng(0)
    probability = rng.random((40, 500))
    return probability, rng.random((40, 500)) < probability


def test_bins_are_those_of_scikit_learn(forecast):
    from sklearn.calibration import calibration_curve

    probability, active = forecast
    table = reliability(probability, active, n_bins=8)
    observed, predicted = calibration_curve(
        active.ravel(), probability.ravel(), n_bins=8
    )
    np.testing.assert_allclose(table.predicted, predicted)
    np.testing.assert_allclose(table.observed, observed)
    assert table["count"].sum() == probability.size


def test_honest_forecaster_has_no_error_and_an_overconfident_one_has(forecast):
    probability, active = forecast
    honest = expected_calibration_error(reliability(probability, active))
    sure = expected_calibration_error(reliability((probability > 0.5) * 1.0, active))
    assert honest < 0.02
    assert sure == pytest.approx(0.25, abs=0.02)


def test_bad_input_is_refused(forecast):
    probability, active = forecast
    with pytest.raises(ValueError, match="must match"):
        reliability(probability, active[:3])
    with pytest.raises(ValueError, match="not odds"):
        reliability(probability * 3, active)


class Listener(SimpleNamespace):
    """A "network" whose probability for region r is the EEG of electrode r."""

    def predict_with_probability(self, eeg):
        if not self.sure:
            return None, None
        told = np.zeros((len(eeg), self.head.cortex.n_regions))
        told[:, : eeg.shape[2]] = np.abs(eeg).max(axis=1)
        return None, told


@pytest.fixture(scope="module")
def clips():
    return dl.load_spike_library("lite", split="test")


def test_probability_and_truth_belong_to_the_same_recordings(clips):
    """20 recordings, more than a batch; each is made again by itself."""
    head = dl.load_head_model("template-75")
    told, active = probability_and_truth(
        Listener(head=head, sure=True), clips, n_sources=(0, 2), n_samples=20, seed=6
    )
    assert told.shape == active.shape == (20, 994)
    stream = dl.SyntheticEEG(head, clips, n_sources=(0, 2), seed=6)
    for i in (0, 7, 18):
        sample = stream[i]
        wanted = np.zeros(994, dtype=bool)
        wanted[np.concatenate([[], *sample.patches]).astype(int)] = True
        np.testing.assert_array_equal(active[i], wanted)
        peaks = np.abs(sample.eeg).max(axis=0)
        np.testing.assert_allclose(told[i, :75], peaks, atol=1e-5)
    assert {0, 2} >= {len(stream[i].patches) for i in range(20)}
    assert not active.any(axis=1).all()  # some have no source


def test_another_head_makes_the_recordings(clips):
    head, moved = dl.load_head_model("template-75"), dl.load_head_variant("jitter-5mm")
    listener = Listener(head=head, sure=True)
    own, _ = probability_and_truth(listener, clips, n_samples=2)
    other, _ = probability_and_truth(listener, clips, n_samples=2, head=moved)
    assert np.abs(own - other).max() > 0.01


def test_a_network_without_probabilities_is_refused(clips):
    listener = Listener(head=dl.load_head_model("template-75"), sure=False)
    with pytest.raises(ValueError, match="no probabilities"):
        probability_and_truth(listener, clips, n_samples=1)
