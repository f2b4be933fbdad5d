"""Signals: beside what scipy does, whose import takes long."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import detrend

from deepsif_lite.signals import normalize, referenced, remove_trend


@pytest.mark.parametrize("shape", [(500,), (75, 500), (3, 20, 7), (4, 2), (4, 1)])
def test_the_line_that_fits_best_is_taken_away(shape):
    data = np.random.default_rng(0).standard_normal(shape).cumsum(axis=-1)
    expected = detrend(data) if shape[-1] > 1 else np.zeros(shape)
    np.testing.assert_allclose(remove_trend(data), expected, atol=1e-12)


def test_magnetometers_have_no_reference():
    data = np.random.default_rng(0).standard_normal((50, 8)) + np.arange(8)
    centered = data - data.mean(axis=0)
    found = normalize(data, "meg")
    np.testing.assert_allclose(found, centered / np.abs(centered).max())
    np.testing.assert_array_equal(referenced(data, "meg", 1), data)
    np.testing.assert_allclose(normalize(data).mean(axis=1), 0, atol=1e-15)
