from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance, wasserstein_distance_nd

import deepsif_lite as dl
from deepsif_lite import metrics


def mean_precision_at_hits(strength, regions):
    """State average precision in its own words: no ties, no curve."""
    order = np.argsort(-strength)
    hits = np.isin(order, regions)
    return np.mean([hits[: k + 1].mean() for k in np.flatnonzero(hits)])


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_is_the_mean_precision_at_the_hits(seed):
    rng = np.random.default_rng(seed)
    strength, regions = rng.random(200), rng.choice(200, 9, replace=False)
    expected = mean_precision_at_hits(strength, regions)
    assert metrics.average_precision(strength, regions) == pytest.approx(expected)


def test_average_precision_of_maps_that_know_all_or_nothing():
    regions = np.arange(5)
    truth = np.isin(np.arange(100), regions).astype(float)
    assert metrics.average_precision(truth, regions) == 1
    assert metrics.average_precision(np.ones(100), regions) == pytest.approx(0.05)
    with pytest.raises(dl.errors.SignalError, match="regions is empty"):
        metrics.average_precision(truth, [])
    with pytest.raises(dl.errors.SignalError, match="NaN"):
        metrics.average_precision(truth * np.nan, regions)


def test_earth_movers_distance_on_a_line_is_that_between_quantiles():
    places = np.sort(np.random.default_rng(1).random(30))
    distances = np.abs(places[:, None] - places)
    one, other = np.random.default_rng(2).random((2, 30))
    expected = wasserstein_distance(places, places, one, other)
    found = metrics.earth_movers_distance(5 * one, other, distances)
    assert found == pytest.approx(expected, abs=1e-9)
    same = metrics.earth_movers_distance(one, 3 * one, distances)
    assert same == pytest.approx(0, abs=1e-12)


def test_earth_movers_distance_on_the_cortex():
    cortex, rng = dl.load_cortex(), np.random.default_rng(3)
    few = np.zeros((2, cortex.n_regions))
    few[0, :40], few[1, rng.choice(cortex.n_regions, 12)] = rng.random(40), 1
    at = [np.flatnonzero(values) for values in few]
    expected = wasserstein_distance_nd(
        *(cortex.centroids[k] for k in at),
        *(v[k] for v, k in zip(few, at, strict=True)),
    )
    found = metrics.earth_movers_distance(*few, cortex.distances)
    assert found == pytest.approx(expected, rel=1e-6)
    # One region to another: the distance of the two.
    point, far = np.eye(cortex.n_regions)[[3, 700]]
    found = metrics.earth_movers_distance(point, far, cortex.distances)
    assert found == pytest.approx(cortex.distances[3, 700])


def test_earth_movers_distance_wants_mass():
    distances = 1 - np.eye(3)
    with pytest.raises(dl.errors.SignalError, match="strength must be not negative"):
        metrics.earth_movers_distance(np.array([1, -1, 0]), np.ones(3), distances)
    with pytest.raises(dl.errors.SignalError, match="truth must be"):
        metrics.earth_movers_distance(np.ones(3), np.zeros(3), distances)
