from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

from deepsif_lite.metrics import scores as metrics


def line_cortex(n=12, step=0.01):
    """Regions one centimeter apart on a line, areas 1, 2, 3, ... cm^2."""
    x = step * np.arange(n)
    return SimpleNamespace(
        distances=np.abs(x[:, None] - x), areas=1e-4 * np.arange(1, n + 1), n_regions=n
    )


def waves(n_times, n_regions, courses):
    activity = np.zeros((n_times, n_regions))
    for regions, course in courses:
        activity[:, regions] = course[:, None]
    return activity


def test_perfect_estimate():
    cortex, t = line_cortex(), np.linspace(0, 1, 100)
    patches = [np.array([2, 1, 3]), np.array([9, 10])]
    truth = waves(
        100, 12, [(patches[0], np.sin(np.pi * t)), (patches[1], np.cos(np.pi * t))]
    )
    scores = metrics.score(truth, truth, patches, cortex)
    for key in ("precision", "recall", "recall_area", "correlation", "recall_pooled"):
        assert scores[key] == pytest.approx(1), key
    assert scores["localization_error"] == 0
    assert scores["area_true"] == pytest.approx(1e-4 * (3 + 2 + 4 + 10 + 11))
    assert scores["area_found"] == scores["area_true"]
    assert scores["n_missed"] == 0


def test_missed_source_and_false_alarm_by_hand():
    cortex, t = line_cortex(), np.linspace(0, 1, 100)
    course = 1 + np.sin(2 * np.pi * t)
    patches = [np.array([2, 1, 3]), np.array([10, 9])]
    truth = waves(100, 12, [(patches[0], course), (patches[1], course[::-1])])
    # Found: 2, 3 (true) and 5 (20 mm from the nearest true region 3).
    estimate = waves(100, 12, [(np.array([2, 3, 5]), course)])
    scores = metrics.score(estimate, truth, patches, cortex)
    assert scores["precision"] == pytest.approx(2 / 3)
    assert scores["recall_detected"] == pytest.approx(2 / 3)
    assert scores["recall"] == pytest.approx(1 / 3)
    assert scores["precision_area"] == pytest.approx((3 + 4) / (3 + 4 + 6))
    assert scores["recall_area_detected"] == pytest.approx((3 + 4) / (2 + 3 + 4))
    assert scores["recall_area"] == pytest.approx((3 + 4) / (2 + 3 + 4) / 2)
    assert scores["localization_error"] == pytest.approx(0.02 / 3)
    assert scores["correlation"] == pytest.approx(1)
    assert scores["recall_pooled"] == pytest.approx(2 / 5)
    assert scores["n_missed"] == 1


def test_nothing_found():
    cortex = line_cortex()
    truth = waves(20, 12, [(np.array([4]), np.ones(20))])
    scores = metrics.score(np.zeros((20, 12)), truth, [np.array([4])], cortex)
    assert scores["recall"] == 0
    assert np.isnan(scores["recall_detected"])
    assert np.isnan(scores["precision"])
    assert scores["n_missed"] == 1


def test_regions_go_to_the_nearest_source_and_ties_to_the_first():
    patches = [np.array([1, 2]), np.array([8])]
    active = np.array([0, 5, 6, 11])  # 5 is three regions from 2 and from 8
    distances = line_cortex(step=0.25).distances  # exact in binary
    first, second = metrics.assign_regions(active, patches, distances)
    np.testing.assert_array_equal(first, [0, 5])
    np.testing.assert_array_equal(second, [6, 11])


def test_correlation_is_that_of_numpy():
    a, b = np.random.default_rng(0).standard_normal((2, 50))
    assert metrics.correlation(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert np.isnan(metrics.correlation(a, np.ones(50)))


def test_distances_by_hand():
    distances, truth = line_cortex().distances, np.array([3, 4, 5])
    found = np.array([5, 7])
    error = metrics.localization_error(found, truth, distances)
    assert error == pytest.approx(0.01)  # 0 and 20 mm
    both = metrics.localization_error(found, truth, distances, symmetric=True)
    assert both == pytest.approx((0.01 + 0.01) / 2)  # back: 20, 10 and 0 mm
    strength = np.zeros(12)
    strength[[5, 7]] = 3, 1
    dispersion = metrics.spatial_dispersion(strength, found, truth, distances)
    assert dispersion == pytest.approx(0.25 * 0.02)
    empty = np.array([], dtype=int)
    assert np.isnan(metrics.spatial_dispersion(strength, empty, truth, distances))
    assert np.isnan(metrics.localization_error(empty, truth, distances))


def test_auc_of_perfect_reversed_and_chance():
    cortex, truth = line_cortex(60), np.arange(20, 26)
    strength = np.zeros(60)
    strength[truth] = 1
    assert metrics.auc(strength, truth, cortex) == 1
    assert metrics.auc(1 - strength, truth, cortex) == 0
    assert metrics.auc(np.ones(60), truth, cortex) == pytest.approx(0.5)


def test_auc_is_the_integral_over_thresholds():
    cortex, truth = line_cortex(9, step=0.005), np.arange(3, 6)
    rng = np.random.default_rng(1)
    strength = rng.integers(0, 10, 9) / 10
    # Three regions lie within 15 mm on either side: near is all six, drawn by three.
    cortex.distances[:] = np.minimum(cortex.distances, 0.01)  # all of them near
    draws = [metrics.auc(strength, truth, cortex, n_draws=1, seed=s) for s in range(6)]
    for s, value in enumerate(draws):
        near = np.setdiff1d(np.arange(9), truth)
        false = np.random.default_rng(s).permutation(near)[:3]
        grid = np.r_[np.arange(0, 1.0005, 0.001), 1.1]
        hit, alarm = (
            np.array([cortex.areas[r][strength[r] >= g].sum() for g in grid])
            / cortex.areas[r].sum()
            for r in (truth, false)
        )
        assert value == pytest.approx(-np.trapezoid(hit, alarm))


def test_resection_by_hand():
    cortex = line_cortex()
    strength = np.arange(12) / 11
    found, resection = np.array([8, 9, 11]), np.array([7, 8, 9])
    scores = metrics.score_resection(strength, found, resection, cortex)
    p, r = (9 + 10) / (9 + 10 + 12), (9 + 10) / (8 + 9 + 10)
    assert scores["precision"] == pytest.approx(p)
    assert scores["recall"] == pytest.approx(r)
    assert scores["harmonic_mean"] == pytest.approx(2 / (1 / p + 1 / r))
    assert scores["geometric_mean"] == pytest.approx(np.sqrt(p * r))
    assert scores["spatial_dispersion"] == pytest.approx(0.02 * 11 / (8 + 9 + 11))
    nothing = metrics.score_resection(
        strength, np.array([], dtype=int), resection, cortex
    )
    assert nothing["recall"] == 0
    assert nothing["harmonic_mean"] == 0
    assert np.isnan(nothing["precision"])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"truth_activity": np.zeros((9, 12))}, "same shape"),
        ({"patches": []}, "non-empty"),
        ({"patches": [np.array([12])]}, "0..11"),
    ],
)
def test_bad_input_is_refused(change, match):
    arguments = {
        "activity": np.zeros((10, 12)),
        "truth_activity": np.zeros((10, 12)),
        "patches": [np.array([1])],
        "cortex": line_cortex(),
        **change,
    }
    with pytest.raises(ValueError, match=match):
        metrics.score(**arguments)
    wrong = {**arguments, "activity": np.zeros((10, 5)), "patches": [np.array([1])]}
    wrong["truth_activity"] = np.zeros((10, 5))
    with pytest.raises(ValueError, match="n_times, 12"):
        metrics.score(**wrong)


def test_scoring_is_quick():
    rng = np.random.default_rng(0)
    cortex = line_cortex(994, 0.001)
    truth = np.zeros((500, 994), dtype=np.float32)
    truth[:, 100:120] = 1
    estimate = truth + 0.05 * rng.standard_normal(truth.shape).astype(np.float32)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        metrics.score(estimate, truth, [np.arange(100, 120)], cortex)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05  # about 5 ms; room for a busy machine
