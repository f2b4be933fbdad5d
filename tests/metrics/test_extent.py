from __future__ import annotations

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from deepsif_lite.errors import OptionError, SignalError
from deepsif_lite.metrics import (
    active_regions,
    activity_map,
    otsu_threshold,
    select_regions,
)
from deepsif_lite.metrics.extent import Selector


def _two_levels(n_times=50, n_regions=30, active=(3, 4, 9), level=1.0, seed=0):
    rng = np.random.default_rng(seed)
    activity = 0.05 * rng.standard_normal((n_times, n_regions))
    activity[:, list(active)] += level
    return activity


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threshold_is_that_of_scikit_image(seed, dtype):
    rng = np.random.default_rng(seed)
    values = np.abs(rng.standard_normal((200, 90)) ** 3).astype(dtype)
    expected = threshold_otsu(values.astype(float), nbins=100)
    assert otsu_threshold(values) == pytest.approx(
        expected, abs=1e-5 * float(values.max())
    )


def test_threshold_follows_the_unit():
    values = np.abs(_two_levels())
    assert otsu_threshold(1e-9 * values) == pytest.approx(1e-9 * otsu_threshold(values))


def test_equal_values_have_nothing_above():
    assert otsu_threshold(np.full((4, 4), 2.0)) == 2.0
    assert len(active_regions(np.zeros((10, 5)))) == 0
    assert len(active_regions(np.zeros((10, 5)), variant="published")) == 0


def test_regions_above_the_threshold_long_enough_are_active():
    activity = _two_levels()
    activity[:43, 4] = 0  # seven samples remain: one too few
    activity[:42, 9] = 0  # eight remain
    np.testing.assert_array_equal(active_regions(activity), [3, 9])
    np.testing.assert_array_equal(active_regions(activity, min_samples=7), [3, 4, 9])


def test_variants_differ_on_sign_and_scale():
    activity = _two_levels()
    activity[:, 4] *= -1
    np.testing.assert_array_equal(active_regions(activity), [3, 4, 9])
    np.testing.assert_array_equal(active_regions(activity, variant="published"), [3, 9])
    # The published rule compares a threshold on [0, 1] with the raw output.
    small = 0.1 * activity
    np.testing.assert_array_equal(active_regions(small), [3, 4, 9])
    assert len(active_regions(small, variant="published")) == 0


def test_published_rule_step_by_step():
    rng = np.random.default_rng(3)
    activity = rng.standard_normal((60, 40)) ** 3
    z = np.abs(activity)
    z = (z - z.min()) / z.max()
    above = activity > threshold_otsu(z, nbins=100)
    expected = np.flatnonzero(above.sum(axis=0) > 7)
    found = active_regions(activity, variant="published")
    np.testing.assert_array_equal(found, expected)


def test_one_map():
    strength = np.r_[np.full(20, 0.1), 0.9, 1.0][None]
    found = active_regions(strength, min_samples=1)
    np.testing.assert_array_equal(found, [20, 21])


def test_map_of_a_window_is_its_root_mean_square():
    activity = np.random.default_rng(0).standard_normal((50, 20))
    rms = np.linalg.norm(activity, axis=0) / np.sqrt(50)
    np.testing.assert_allclose(activity_map(activity), rms)
    mean = np.abs(np.average(activity, axis=0))
    np.testing.assert_allclose(activity_map(activity, "mean"), mean)
    with pytest.raises(OptionError, match="how='max'"):
        activity_map(activity, "max")


def test_a_mean_that_is_rounding_error_is_refused():
    activity = _two_levels()
    centered = activity - activity.mean(axis=0)
    with pytest.raises(SignalError, match="use how='rms'"):
        activity_map(centered, "mean")
    with pytest.raises(SignalError, match="use how='rms'"):
        select_regions(centered, "mean")
    activity_map(centered + 1e-3, "mean")  # a mean that is there is not
    assert not activity_map(np.zeros((5, 3)), "mean").any()


def test_one_vocabulary_of_rules():
    activity = _two_levels()
    activity[:, 4] *= -1
    activity[:43, 9] = 0
    probability = np.linspace(0, 1, 30)
    by = {
        "samples": active_regions(activity),
        "corrected": active_regions(activity),
        "published": active_regions(activity, variant="published"),
        "map": _above_otsu(np.sqrt((activity**2).mean(axis=0))),
        "mean": _above_otsu(np.abs(activity.mean(axis=0))),
        "probability": np.flatnonzero(probability > 0.5),
        0.8: np.flatnonzero(probability > 0.8),
    }
    selector = Selector(activity, probability)  # keeps what the rules share
    for rule, expected in by.items():
        found = select_regions(activity, rule, probability=probability)
        np.testing.assert_array_equal(found, expected, err_msg=str(rule))
        np.testing.assert_array_equal(selector.select(rule), expected)
    assert {len(found) for found in by.values()} > {2, 3}  # they differ
    with pytest.raises(OptionError, match="needs a probability"):
        select_regions(activity, 0.3)
    with pytest.raises(OptionError, match="between 0 and 1"):
        select_regions(activity, 1.5, probability=probability)
    with pytest.raises(OptionError, match="rule='otsu'"):
        select_regions(activity, "otsu")


def _above_otsu(strength):
    return np.flatnonzero(strength > threshold_otsu(strength, nbins=100))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"activity": np.zeros(5)}, "n_times, n_regions"),
        ({"variant": "fixed"}, "corrected"),
        ({"min_samples": 11}, "10 samples"),
        ({"activity": np.full((10, 5), np.nan)}, "NaN"),
    ],
)
def test_bad_input_is_refused(change, match):
    arguments = {"activity": np.zeros((10, 5)), **change}
    with pytest.raises(ValueError, match=match):
        active_regions(arguments.pop("activity"), **arguments)
