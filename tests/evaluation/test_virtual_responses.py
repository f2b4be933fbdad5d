from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite.evaluation import virtual_response
from deepsif_lite.head import load_head_model, topography_correlation


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-64")


def test_virtual_response_peaks_when_and_where_it_should(head):
    place = (-0.010, -0.085, 0.0)
    evoked = virtual_response(head, place, latency=0.093, noise=0)
    assert evoked.times[0] == pytest.approx(-0.2)
    peak = np.abs(evoked.data).max(axis=0).argmax()
    assert evoked.times[peak] == pytest.approx(0.093, abs=0.004)
    fit = topography_correlation(evoked.data[:, [peak]], head.leadfield)
    best = 1e3 * head.cortex.centroids[np.abs(fit).argmax()]
    assert np.linalg.norm(best - 1e3 * np.array(place)) < 25
