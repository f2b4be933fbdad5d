"""What a source image says of itself, against NumPy and scikit-image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from deepsif_lite.cortex import load_cortex
from deepsif_lite.errors import OptionError, SignalError, WindowError
from deepsif_lite.imaging import SourceImage
from deepsif_lite.metrics import active_regions

N_REGIONS = 60


@pytest.fixture(scope="module")
def cortex():
    return load_cortex(N_REGIONS)


def make_image(cortex, n_times=100):
    rng = np.random.default_rng(1)
    activity = 0.02 * rng.standard_normal((N_REGIONS, n_times))
    activity[[3, 20], 40:60] += 1
    activity[20, 50] = -2
    times = np.arange(n_times) / 500.0 - 0.1
    return SourceImage(activity, times, cortex, "deepsif")


def test_peak_map_and_strongest(cortex):
    result = make_image(cortex)
    assert result.peak == (20, pytest.approx(0.0), -2.0)
    window = result.activity[:, 45:49]
    rms = np.linalg.norm(window, axis=1) / 2
    np.testing.assert_allclose(result.map(-0.01, -0.004), rms)
    mean = np.abs(window.mean(axis=1))
    np.testing.assert_allclose(result.map(-0.01, -0.004, how="mean"), mean)
    assert set(result.strongest(2, -0.01, -0.004)) == {3, 20}
    assert result.sfreq == pytest.approx(500)


def test_center_and_share(cortex):
    result = make_image(cortex)
    window = (-0.01, -0.004)
    top, strength = result.strongest(2, *window), result.map(*window)
    a, b = strength[top]
    middle = (a * cortex.centroids[top[0]] + b * cortex.centroids[top[1]]) / (a + b)
    np.testing.assert_allclose(result.center(2, *window), middle)
    assert result.share_in([3, 5], *window, n=2) == 0.5
    assert result.share_in([3, 20, 4], *window, n=1) == 1
    mass = [strength[r] * cortex.areas[r] for r in range(N_REGIONS)]
    expected = (mass[3] + mass[20]) / sum(mass)
    assert result.share_in([3, 20, 3], *window) == pytest.approx(expected)


def test_map_of_a_linear_method_without_a_window_is_no_rounding_error(cortex):
    """The mean over time is zero, the activity is not."""
    result = make_image(cortex)
    centered = result.activity - result.activity.mean(axis=1, keepdims=True)
    result = SourceImage(centered, result.times, cortex, "sloreta")
    np.testing.assert_array_equal(result.extent(of="map"), [3, 20])
    assert set(result.strongest(2)) == {3, 20}
    for ask in (lambda: result.map(how="mean"), lambda: result.extent(of="mean")):
        with pytest.raises(SignalError, match="rounding error"):
            ask()


def test_extent_is_otsu_of_the_window(cortex):
    result = make_image(cortex)
    np.testing.assert_array_equal(result.extent(), [3, 20])
    window = result.activity[:, 40:60].T
    expected = active_regions(window, min_samples=8)
    np.testing.assert_array_equal(result.extent(-0.02, 0.018), expected)
    maps = {
        "map": np.sqrt((window[:9] ** 2).mean(axis=0)),
        "mean": np.abs(window[:9].mean(axis=0)),
    }
    for of, strength in maps.items():
        expected = np.flatnonzero(strength > threshold_otsu(strength, nbins=100))
        found = result.extent(-0.02, -0.004, of=of)
        np.testing.assert_array_equal(found, expected)
    published = active_regions(result.activity.T, variant="published")
    np.testing.assert_array_equal(result.extent(of="published"), published)
    assert {3, 20} <= set(found)
    # Twenty samples are above: 40 ms but not 42 ms.
    assert 3 in result.extent(min_duration=0.040)
    assert 3 not in result.extent(min_duration=0.042)
    for window in ((0.2, 0.3), (0.05, 0.0), (0, 50), (-50, 50)):
        with pytest.raises(WindowError, match="no window within"):
            result.extent(*window)
    # Of a window around a peak near the start, the part that is there counts.
    np.testing.assert_array_equal(result.map(-0.15, -0.05), result.map(None, -0.05))
    with pytest.raises(ValueError, match="min_samples"):
        result.extent(0, 0.002)
    with pytest.raises(OptionError, match="of='otsu'"):
        result.extent(of="otsu")


def test_source_estimate_holds_each_regions_course(cortex):
    result = make_image(cortex)
    stc = result.to_stc()
    assert stc.data.shape == (20484, 100)
    assert [len(v) for v in stc.vertices] == [10242, 10242]
    np.testing.assert_allclose(stc.times, result.times)
    region = cortex.region_of_vertex
    for r in (3, 20, 59):
        vertex = np.flatnonzero(region == r)[-1]
        np.testing.assert_array_equal(stc.data[vertex], result.activity[r])
    assert not stc.data[region < 0].any()
    loc = stc.get_peak(hemi=cortex.hemisphere[20])[0]
    half = 10242 if cortex.hemisphere[20] == "rh" else 0
    assert region[loc + half] == 20


def test_table_lists_every_region_strongest_first(cortex):
    table = make_image(cortex).to_table()
    assert len(table) == N_REGIONS
    assert table["region"].tolist()[:2] == [20, 3]
    assert table["peak"][0] == -2
    assert table["peak_time_s"][0] == pytest.approx(0)
    assert set(table["region"][table["in_extent"]]) == {3, 20}
    centroid = 1e3 * cortex.centroids[20]
    np.testing.assert_allclose(
        table.loc[0, ["x_mm", "y_mm", "z_mm"]].tolist(), centroid
    )


def test_plot(cortex):
    import matplotlib.pyplot as plt

    fig, _ = make_image(cortex).plot()
    assert any("no unit" in text for text in _texts(fig))
    plt.close(fig)


def _texts(fig):
    import matplotlib.text

    return [text.get_text() for text in fig.findobj(matplotlib.text.Text)]


def test_a_silent_window_has_no_center(cortex):
    """As sparse methods leave it: not a place, and no error either."""
    activity = np.zeros((N_REGIONS, 10))
    activity[5, 8] = 1.0
    result = SourceImage(activity, np.arange(10) / 100, cortex, "champagne")
    assert np.isnan(result.center(3, 0.0, 0.05)).all()
    assert np.isnan(result.share_in(np.arange(3), 0.0, 0.05))
    np.testing.assert_allclose(result.center(1), cortex.centroids[5])


def test_probability_over_time_is_that_of_the_course_above_half_its_peak(cortex):
    """Against draws of the course's error."""
    probability = np.linspace(0, 1, N_REGIONS)
    result = replace(make_image(cortex), probability=probability)
    told = result.probability_over_time()
    assert told.shape == result.activity.shape
    peak = np.abs(result.activity).max(axis=1, keepdims=True)
    rng = np.random.default_rng(0)
    errors = 0.2 * rng.standard_normal((2000, *result.activity[:, 45:55].shape))
    drawn = np.abs(result.activity[:, 45:55] / peak + errors) > 0.5
    expected = probability[:, None] * drawn.mean(axis=0)
    np.testing.assert_allclose(told[:, 45:55], expected, atol=0.06)
    assert (told <= probability[:, None]).all()
    assert told[20, 50] > 0.95 * probability[20]
    assert told[20, :30].max() < 0.05


def test_a_silent_region_is_active_at_no_time(cortex):
    silent = replace(
        make_image(cortex),
        activity=np.zeros((N_REGIONS, 100)),
        probability=np.ones(N_REGIONS),
    )
    assert silent.probability_over_time().max() < 0.05


def test_an_image_without_probability_has_none_over_time(cortex):
    with pytest.raises(OptionError, match="has no probability"):
        make_image(cortex).probability_over_time()
