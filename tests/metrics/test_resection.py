from __future__ import annotations

import numpy as np
import pytest
from toys import line_cortex

from deepsif_lite import metrics


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
