"""The search for patches, against brute force."""

import numpy as np
import pytest
import torch
from toys import toy_geometry

from deepsif_lite.network.patch_search import choose_starts, search_patches


@pytest.fixture(scope="module")
def geometry():
    return toy_geometry().double()


def _misfit(members, maps, weights, white):
    patch = white[members].sum(0)
    return float(1 - (weights * (maps @ patch) ** 2).sum() / (patch @ patch))


def _problem(geometry, seed=0):
    """Orthonormal maps of which the first is that of a true patch."""
    rng = np.random.default_rng(seed)
    white = geometry.parcel_maps.double()
    patch = rng.integers(len(geometry.patch_maps))
    truth = geometry.members[patch]
    basis = torch.as_tensor(rng.standard_normal((20, 3)))
    basis[:, 0] = white[truth].sum(0)
    maps = torch.linalg.qr(basis)[0].T[None]
    return truth, maps, white


def test_misfits_are_those_of_brute_force(geometry):
    truth, maps, white = _problem(geometry)
    weights = torch.tensor([[[1.0, 0.5, 0.0]]], dtype=torch.float64)
    found = search_patches(geometry, truth[None, None], maps, weights, n_steps=0)
    assert float(found.misfit) == pytest.approx(
        _misfit(truth, maps[0], weights[0, 0], white), abs=1e-12
    )
    for region in range(0, 120, 7):
        flipped = truth.clone()
        flipped[region] = ~flipped[region]
        expected = _misfit(flipped, maps[0], weights[0, 0], white)
        assert float(found.misfit_flipped[0, 0, region]) == pytest.approx(
            expected, abs=1e-9
        )


def test_search_repairs_a_patch(geometry):
    """With one member lost and one stranger let in, it finds the true patch again."""
    repaired = 0
    for seed in range(6):
        truth, maps, white = _problem(geometry, seed)
        adjacency = geometry.adjacency.double()
        start = truth.clone()
        outside = ((adjacency @ truth.double()) > 0) & ~truth
        start[int(outside.nonzero()[0])] = True
        lost = truth & ((adjacency @ (~truth).double()) > 0)
        start[int(lost.nonzero()[-1])] = False
        weights = torch.tensor([[[1.0, 0.0, 0.0]]], dtype=torch.float64)
        found = search_patches(geometry, start[None, None], maps, weights)
        repaired += bool((found.members[0, 0] == truth).all())
        assert float(found.misfit) <= _misfit(start, maps[0], weights[0, 0], white)
        expected = found.members[0, 0].double() @ adjacency / adjacency.sum(1)
        np.testing.assert_allclose(found.neighbor_share[0, 0], expected, atol=1e-6)
    assert repaired >= 5


def test_starts_lie_apart_and_are_the_best(geometry):
    fit = torch.rand(4, 360, generator=torch.Generator().manual_seed(0))
    apart = geometry.far_apart
    starts = choose_starts(fit, apart, 3, 3)
    assert torch.equal(starts[:, 0], fit.argmax(1))
    for row in starts // 3:
        for i in range(3):
            for j in range(i):
                assert bool(apart[row[i], row[j]])
