"""Reliability against scikit-learn and a forecaster that is right by construction."""

import numpy as np
import pytest

from deepsif_lite.evaluation import expected_calibration_error, reliability


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
