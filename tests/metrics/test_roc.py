from __future__ import annotations

import numpy as np
import pytest
from toys import line_cortex

from deepsif_lite import metrics


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
