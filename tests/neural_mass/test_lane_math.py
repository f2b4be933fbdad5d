"""The lanes' own exponential and deviates against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from scipy import stats

from deepsif_lite.neural_mass.lane_math import draw_normals, exp
from deepsif_lite.neural_mass.lanes import LANES, load, store


@njit
def exponentials(x, out):
    for k in range(len(x)):
        store(out, (k,), exp(load(x, (k,))))


@pytest.mark.parametrize(
    ("dtype", "limit"),
    [(np.float32, 86), (np.float64, 699)],
    ids=["float32", "float64"],
)
def test_exponential_is_exact_to_two_units_in_the_last_place(dtype, limit):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-limit, limit, 40_000), rng.uniform(-1, 1, 40_000)])
    x = x.astype(dtype).reshape(-1, LANES)
    out = np.empty_like(x)
    exponentials(x, out)
    exact = np.exp(x.astype(np.longdouble))
    assert (np.abs(out - exact) <= 2 * np.spacing(exact.astype(dtype))).all()


def test_exponential_saturates():
    x = np.resize(np.array([-1e4, 1e4, 0.0, np.nan]), (1, LANES))
    out = np.empty_like(x)
    exponentials(x, out)
    small, large, one, nan = out[0, :4]
    assert 0 < small < 1e-300
    assert 1e300 < large < np.inf
    assert one == 1
    assert np.isnan(nan)


def test_deviates_are_normal_and_lanes_independent():
    rng = np.random.default_rng(1)
    random = rng.integers(-(2**31), 2**31, (4, LANES)).astype(np.int32)
    normals = np.empty((20_000, LANES), np.float32)
    draw_normals(random, normals)
    assert stats.kstest(normals.ravel(), "norm").pvalue > 1e-3
    between = np.corrcoef(normals.T) - np.eye(LANES)
    assert np.abs(between).max() < 5 / np.sqrt(len(normals))
    neighbors = np.corrcoef(normals[:-1].ravel(), normals[1:].ravel())[0, 1]
    assert abs(neighbors) < 5 / np.sqrt(normals.size)
