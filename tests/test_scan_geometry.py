"""What the scans know of the head, and its sparse product."""

import numpy as np
import pytest
import torch
from toys import toy_geometry, toy_head

from deepsif_lite.network.scan_geometry import COURSE_NOISE_SHARE, NOISE_SHARE


@pytest.fixture(scope="module")
def geometry():
    return toy_geometry()


def test_neighbourhoods_are_steps_on_the_mesh(geometry):
    from scipy.sparse.csgraph import shortest_path

    steps = shortest_path(toy_head().cortex.adjacency, unweighted=True)
    np.testing.assert_array_equal(geometry.near.numpy(), steps <= 3)
    np.testing.assert_array_equal(geometry.apart.numpy(), steps > 4)


def test_sum_over_members_and_its_gradient_are_those_of_a_product(geometry):
    rng = torch.Generator().manual_seed(0)
    chance = torch.rand(2, 3, 360, generator=rng, requires_grad=True)
    weight = torch.rand(2, 3, 120, generator=rng)
    dense = geometry.members.float()
    (expected,) = torch.autograd.grad(((chance @ dense) * weight).sum(), chance)
    (found,) = torch.autograd.grad(
        (geometry.sum_over_members(chance) * weight).sum(), chance
    )
    torch.testing.assert_close(geometry.sum_over_members(chance), chance @ dense)
    torch.testing.assert_close(found, expected)


def test_geometry_is_not_stored_with_the_weights(geometry):
    assert geometry.state_dict() == {}


def test_head_of_another_size_is_refused(geometry):
    head = toy_head()
    with pytest.raises(ValueError, match="load the head model"):
        geometry.set(head.leadfield[:-1], head.cortex)


def test_recordings_are_whitened_for_their_own_noise(geometry):
    """What is white afterwards: brain noise plus a share of each channel's power."""
    head = toy_head()
    scale = torch.linspace(0.5, 2, 20).double()  # sensors of unlike power
    rng = torch.Generator().manual_seed(0)
    eeg = torch.randn(2, 400, 20, generator=rng, dtype=torch.float64) * scale
    found = geometry.whitening(eeg)
    brain = head.leadfield - head.leadfield.mean(axis=0)
    brain = torch.as_tensor(brain @ brain.T)
    brain *= 20 / brain.trace()
    for k in range(2):
        power = eeg[k].square().mean(0)
        noise = brain + NOISE_SHARE * torch.diag(power / power.mean())
        # Along all axes but the one that the average reference removes.
        axes = geometry.axes.double() / (geometry.brain_power + NOISE_SHARE).sqrt()
        white = axes @ found.inverse[k].double()
        torch.testing.assert_close(
            white.T @ noise @ white, torch.eye(19).double(), atol=1e-5, rtol=0
        )
        torch.testing.assert_close(
            found.root[k] @ found.inverse[k], torch.eye(19), atol=1e-5, rtol=0
        )


def test_courses_are_those_of_generalised_least_squares(geometry):
    rng = torch.Generator().manual_seed(0)
    eeg = torch.randn(2, 60, 20, generator=rng)
    whitening = geometry.whitening(eeg)
    maps = torch.linalg.qr(torch.randn(2, 19, 3, generator=rng))[0].mT
    found = geometry.courses(eeg, maps, whitening)
    noise = geometry.noise(eeg, COURSE_NOISE_SHARE).numpy()
    for k in range(2):
        design = (maps[k] @ whitening.root[k]).double().numpy()
        weighted = design @ np.linalg.inv(noise[k])
        data = geometry.along_axes(eeg[k]).double().numpy().T
        expected = np.linalg.solve(weighted @ design.T, weighted @ data)
        np.testing.assert_allclose(found[k].numpy(), expected, rtol=1e-4, atol=1e-4)


def test_sizes_are_norms_of_whitened_maps(geometry):
    rng = torch.Generator().manual_seed(0)
    inverse = torch.eye(19) + 0.1 * torch.randn(2, 19, 19, generator=rng)
    of_rounds, of_patches = geometry.sizes(inverse)
    for k in range(2):
        torch.testing.assert_close(
            of_patches[k], (geometry.patch_maps @ inverse[k]).norm(dim=-1)
        )
        torch.testing.assert_close(
            of_rounds[k], (geometry.round_maps @ inverse[k]).norm(dim=-1)
        )


def test_a_bad_channel_counts_no_more_than_the_range_allows(geometry):
    rng = torch.Generator().manual_seed(0)
    eeg = torch.randn(1, 400, 20, generator=rng)
    eeg[..., 3], eeg[..., 5] = 1e4 * eeg[..., 3], 0
    whitening = geometry.whitening(eeg)
    assert all(bool(torch.isfinite(part).all()) for part in whitening)
    product = whitening.root @ whitening.inverse
    torch.testing.assert_close(product[0], torch.eye(19), atol=1e-3, rtol=0)
