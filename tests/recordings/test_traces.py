"""Traces that processing, converters and mains leave in the values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch
from toys import patch_response

from deepsif_lite.head import load_head_model
from deepsif_lite.recordings.traces import find_clipped, find_mains, find_processing
from deepsif_lite.signals import average_reference


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-75")


@pytest.mark.parametrize("limit", [10e-6, 20e-6, 40e-6])
def test_channels_that_are_cut_off_are_found(head, limit):
    data = patch_response(head, 577, n_times=500)
    beyond = np.abs(data).max(axis=1) > 1.2 * limit
    found = find_clipped(np.clip(data, -limit, limit))
    assert set(found) <= set(np.flatnonzero(np.abs(data).max(axis=1) > limit))
    assert np.isin(np.flatnonzero(beyond), found).mean() > 0.9
    assert find_clipped(data) == []


@pytest.mark.parametrize("step", [0.1e-6, 1e-6, 5e-6])
def test_steps_of_a_converter_cut_off_nothing(head, step):
    assert (
        find_clipped(step * np.round(patch_response(head, 577, n_times=500) / step))
        == []
    )
    times = np.arange(5000) / 500
    sizes = np.random.default_rng(0).uniform(10e-6, 60e-6, (75, 1))
    slow = sizes * np.sin(2 * np.pi * 0.3 * times)
    assert find_clipped(step * np.round(slow / step)) == []


def test_what_is_no_potential_any_more_is_told(head):
    data = patch_response(head, 577, n_times=500)
    assert find_processing(data) == ""
    assert find_processing(data + 1.0) == ""  # of an amplifier without a filter
    assert "magnitudes" in find_processing(np.abs(data))
    assert "magnitudes" in find_processing(data**2)
    scores = data / data.std(axis=1, keepdims=True)
    assert "standard deviation" in find_processing(scores)
    assert find_processing(scores[:3]) == ""  # of few channels by chance


@pytest.mark.parametrize("hum", [50, 60])
@pytest.mark.parametrize("sfreq", [250, 500, 2048])
def test_mains_are_weighed(head, hum, sfreq):
    """Against the share of Welch's spectrum."""
    times = np.arange(2 * sfreq) / sfreq
    data = patch_response(head, 577, n_times=len(times))
    assert find_mains(data, sfreq)[1] < 0.02
    rng = np.random.default_rng(0)
    hums = rng.uniform(0, 20e-6, (75, 1)) * np.sin(2 * np.pi * hum * times)
    data = average_reference(hums + 8e-6 * rng.standard_normal(hums.shape))
    found, share = find_mains(data, sfreq)
    f, power = welch(data, sfreq, nperseg=sfreq, detrend="linear", scaling="spectrum")
    power = power.sum(axis=0)
    assert found == hum
    assert share == pytest.approx(
        power[abs(f - hum) <= 2].sum() / power.sum(), abs=0.05
    )
    assert 0.2 < share < 0.8


def test_mains_ask_for_a_window_and_a_rate(head):
    data = patch_response(head, 577, n_times=500)
    assert find_mains(data[:, :100], 500.0)[1] == 0
    assert find_mains(data, 100.0)[1] == 0
