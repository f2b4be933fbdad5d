from __future__ import annotations

import time

import numpy as np
import pytest
from toys import line_cortex

from deepsif_lite import metrics
from deepsif_lite.metrics.scores import f_measure, nan_mean


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


def test_means_by_hand():
    assert f_measure(0.5, 0.25) == pytest.approx(2 / (1 / 0.5 + 1 / 0.25))
    assert f_measure(np.nan, 0.0) == 0
    assert nan_mean([1.0, np.nan, 4.0]) == np.nanmean([1.0, np.nan, 4.0])
    assert np.isnan(nan_mean([np.nan]))


def test_a_source_image_is_scored_as_its_activity():
    from deepsif_lite.imaging import SourceImage

    rng = np.random.default_rng(0)
    cortex, patch = line_cortex(), np.array([4, 5])
    truth = waves(60, 12, [(patch, np.hanning(60))])
    estimate = truth + 0.1 * rng.standard_normal(truth.shape)
    image = SourceImage(estimate.T, np.arange(60) / 500, cortex, "sloreta")
    expected = metrics.score(estimate, truth, [patch], cortex)
    assert metrics.score(image, truth, [patch], cortex) == expected


def test_score_is_the_mean_over_the_sources():
    rng = np.random.default_rng(4)
    cortex, patches = line_cortex(), [np.array([1, 2]), np.array([8, 9])]
    truth = waves(60, 12, [(p, rng.standard_normal(60)) for p in patches])
    estimate = truth + 0.3 * rng.standard_normal(truth.shape)
    each = metrics.score_sources(estimate, truth, patches, cortex)
    scores = metrics.score(estimate, truth, patches, cortex)
    for key in ("precision", "correlation", "localization_error"):
        assert scores[key] == pytest.approx(np.nanmean([s[key] for s in each])), key


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
