"""The curve that makes probabilities true: against a known one, and by its limits."""

import mne
import numpy as np
import pytest

import deepsif_lite as dl
from deepsif_lite.imaging import BetaCalibration
from deepsif_lite.network import load_card


@pytest.fixture
def evoked_of_simulation():
    head = dl.load_head_model("template-75")
    sample = dl.SyntheticEEG(head, dl.load_spike_library("lite", "test"), seed=3)[0]
    evoked = mne.EvokedArray(1e-5 * sample.eeg.T, head.info.copy())
    return evoked, sample.eeg


def test_a_known_curve_is_found_again():
    rng = np.random.default_rng(0)
    told = rng.beta(0.3, 1.0, (400, 500)).astype(np.float32)
    wanted = BetaCalibration(1.2, 0.5, 0.3)
    true = rng.random(told.shape) < wanted.apply(told)
    found = BetaCalibration.fit(told, true)
    np.testing.assert_allclose(found, wanted, atol=0.05)


def test_a_curve_of_ones_changes_nothing():
    told = np.array([[0.0, 0.2], [0.7, 1.0]], np.float32)
    same = BetaCalibration(1.0, 1.0, 0.0).apply(told)
    assert same.dtype == told.dtype
    np.testing.assert_allclose(same, told, atol=2e-6)


def test_the_shipped_curve_keeps_the_order_and_lowers_what_is_nearly_sure():
    curve = BetaCalibration(*load_card("lite")["recalibration"]["curve"])
    told = np.linspace(0, 1, 1001)
    people = curve.apply(told)
    assert (np.diff(people[1:-1]) > 0).all()
    assert (people[told > 0.6] < told[told > 0.6]).all()
    assert np.abs(people - told)[told < 0.4].max() < 0.05


def test_an_image_of_lite_has_the_probabilities_of_people(evoked_of_simulation):
    evoked, eeg = evoked_of_simulation
    model = dl.load_model("lite")
    curve = BetaCalibration(*model.card["recalibration"]["curve"])
    simulated = model.predict_with_probability(eeg)[1]
    image = model.apply(evoked)
    assert simulated.max() > 0.5
    np.testing.assert_allclose(image.probability, curve.apply(simulated), atol=1e-3)
