"""What the scans know of the head, and its sparse product."""

import numpy as np
import pytest
import torch
from toys import toy_geometry, toy_head

from deepsif_lite.network import NOISE_SHARE, ScanGeometry
from deepsif_lite.network.scan_geometry import _ridge_regression


@pytest.fixture(scope="module")
def geometry():
    return toy_geometry()


def test_neighborhoods_are_steps_on_the_mesh(geometry):
    from scipy.sparse.csgraph import shortest_path

    steps = shortest_path(toy_head().cortex.adjacency, unweighted=True)
    np.testing.assert_array_equal(geometry.neighborhood.numpy(), steps <= 3)
    np.testing.assert_array_equal(geometry.far_apart.numpy(), steps > 4)


def test_sparse_product_and_its_gradient_are_those_of_a_dense_one(geometry):
    rng = torch.Generator().manual_seed(0)
    chance = torch.rand(2, 3, 360, generator=rng, requires_grad=True)
    weight = torch.rand(2, 3, 120, generator=rng)
    dense = geometry.members.float()
    (expected,) = torch.autograd.grad(((chance @ dense) * weight).sum(), chance)
    (found,) = torch.autograd.grad(
        (geometry.multiply(chance, "members") * weight).sum(), chance
    )
    torch.testing.assert_close(geometry.multiply(chance, "members"), chance @ dense)
    torch.testing.assert_close(found, expected)


def test_mean_over_neighbors_and_its_gradient_are_those_of_a_product(geometry):
    rng = torch.Generator().manual_seed(0)
    features = torch.rand(2, 120, 5, generator=rng, requires_grad=True)
    weight = torch.rand(2, 120, 5, generator=rng)
    adjacency = torch.as_tensor(toy_head().cortex.adjacency, dtype=torch.float32)
    mean = adjacency / adjacency.sum(1, keepdim=True)
    (expected,) = torch.autograd.grad(((mean @ features) * weight).sum(), features)
    found = geometry.mean_over_neighbors(features)
    torch.testing.assert_close(found, mean @ features)
    torch.testing.assert_close(
        torch.autograd.grad((found * weight).sum(), features)[0], expected
    )


def test_maps_of_one_montage_turn_into_those_of_another():
    rng = torch.Generator().manual_seed(0)
    theirs = torch.randn(8, 50, generator=rng)
    rotation = torch.linalg.qr(torch.randn(8, 8, generator=rng))[0]
    translation = _ridge_regression(rotation @ theirs, theirs)
    torch.testing.assert_close(translation, rotation.T, atol=5e-3, rtol=0)


def test_of_the_geometry_only_the_montage_it_began_with_is_stored(geometry):
    assert list(geometry.state_dict()) == ["reference"]
    torch.testing.assert_close(geometry.reference, geometry.parcel_maps)


def test_head_of_another_size_is_refused(geometry):
    head = toy_head()
    with pytest.raises(ValueError, match="load the head model"):
        geometry.serving(head.leadfield[:, :-1])
    fresh = ScanGeometry(20, 120, 3)
    with pytest.raises(ValueError, match="give that of its own montage"):
        fresh.compute(head.leadfield[:-1], head.cortex)


def test_a_geometry_for_other_electrodes_is_the_one_computed_for_them(geometry):
    """And it leaves the one that it came from as it was."""
    head = toy_head()
    few = head.leadfield[3:14]
    before = geometry.patch_maps.clone()
    served = geometry.serving(few)
    direct = ScanGeometry(11, 120, 3)
    direct.compute(few, head.cortex)
    for name in ("whitener", "parcel_maps", "round_maps", "patch_maps"):
        torch.testing.assert_close(getattr(served, name), getattr(direct, name))
    torch.testing.assert_close(geometry.patch_maps, before)
    assert served.members is geometry.members


def test_parcel_maps_are_white(geometry):
    """Brain noise of variance v in a direction becomes v / (v + noise)."""
    maps = geometry.parcel_maps.double()
    found = torch.linalg.eigvalsh(maps.T @ maps)
    leadfield = torch.as_tensor(toy_head().leadfield, dtype=torch.float64)
    leadfield = leadfield - leadfield.mean(0)
    brain = torch.linalg.eigvalsh(leadfield @ leadfield.T)
    expected = brain / (brain + NOISE_SHARE * brain.mean())
    torch.testing.assert_close(
        found / found[-1], expected / expected[-1], atol=1e-5, rtol=0
    )
