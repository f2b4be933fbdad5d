"""Signals: beside what scipy does, whose import takes long."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import detrend

from deepsif_lite.signals import remove_trend


@pytest.mark.parametrize("shape", [(500,), (75, 500), (3, 20, 7), (4, 2), (4, 1)])
def test_the_line_that_fits_best_is_taken_away(shape):
    data = np.random.default_rng(0).standard_normal(shape).cumsum(axis=-1)
    expected = detrend(data) if shape[-1] > 1 else np.zeros(shape)
    np.testing.assert_allclose(remove_trend(data), expected, atol=1e-12)
