"""Patches placed together: the pair that a search through all pairs finds."""

from itertools import combinations

import numpy as np
import pytest
import torch

from deepsif_lite.network.alternating import place_together


def _explained(maps, patches, pair):
    """Share of unit maps that lies in the span of two patches, by least squares."""
    basis = np.linalg.qr(patches[list(pair)].T)[0]
    return ((maps @ basis) ** 2).sum()


@pytest.mark.parametrize("seed", range(5))
def test_a_pair_with_one_time_course_is_found_as_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    patches = rng.standard_normal((30, 12))
    patches /= np.linalg.norm(patches, axis=1, keepdims=True)
    planted = sorted(int(i) for i in rng.choice(30, 2, replace=False))
    one_map = patches[planted[0]] + 0.8 * patches[planted[1]]
    one_map = one_map[None] / np.linalg.norm(one_map)
    best = max(
        combinations(range(30), 2), key=lambda p: _explained(one_map, patches, p)
    )
    assert list(best) == planted
    dictionary = torch.as_tensor(patches)
    maps = torch.as_tensor(one_map)[None]
    (placed,) = place_together(
        dictionary, maps, maps @ dictionary.T, torch.ones(1, 1).double(), 2
    )
    assert sorted(placed.patches[0].tolist()) == planted
    assert float(placed.fit.max()) == pytest.approx(1)
    assert int(placed.fit[0].argmax()) in planted


def test_the_fit_is_the_share_that_a_patch_explains_beside_the_one_that_stays():
    rng = np.random.default_rng(9)
    patches = rng.standard_normal((10, 8))
    patches /= np.linalg.norm(patches, axis=1, keepdims=True)
    maps = np.linalg.qr(rng.standard_normal((8, 3)))[0].T
    power = np.array([0.6, 0.3, 0.1])
    dictionary = torch.as_tensor(patches)
    given = torch.as_tensor(maps)[None]
    (placed,) = place_together(
        dictionary, given, given @ dictionary.T, torch.as_tensor(power)[None], 2
    )
    data = maps * np.sqrt(power)[:, None]
    best = max(
        _explained(data, patches, (int(a), b))
        for a in placed.patches[0]
        for b in range(10)
        if b != int(a)
    )
    assert float(placed.fit.max()) == pytest.approx(best)


def test_where_nothing_is_left_to_explain_the_numbers_stay_finite():
    patches = torch.eye(4, 6)
    maps = patches[None, :1]
    for placed in place_together(patches, maps, maps @ patches.T, torch.ones(1, 1), 3):
        assert torch.isfinite(placed.fit).all()
        assert torch.isfinite(placed.gain).all()
        assert placed.gain.min() >= 0
