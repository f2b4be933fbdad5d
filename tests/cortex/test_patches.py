"""Patches: sizes against the published rules' statistics, and their invariants."""

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

import deepsif_lite as dl
from deepsif_lite.cortex import decay, grow_patch, grow_to_area, patch_candidates
from deepsif_lite.cortex.patches import sized_candidates


@pytest.fixture(scope="module")
def cortex():
    return dl.load_cortex(994)


# Sizes the published growth rules give on the published parcels: 15.6 +- 2.9 parcels
# for two layers, 25.9 +- 5.1 for three. Our parcels have 5.9 neighbors, theirs 6.3.
@pytest.mark.parametrize(("n_layers", "published"), [(2, 15.6), (3, 25.9)])
def test_sizes_follow_the_published_rules(cortex, n_layers, published):
    sizes = [
        len(grow_patch(cortex, seed, n_layers=n_layers, rng=seed))
        for seed in range(0, cortex.n_regions, 5)
    ]
    assert np.mean(sizes) == pytest.approx(published, rel=0.15)


def test_patch_is_connected_unique_and_led_by_its_seed(cortex):
    for seed in range(0, cortex.n_regions, 17):
        patch = grow_patch(cortex, seed, n_layers=3, rng=seed)
        assert patch[0] == seed
        assert len(np.unique(patch)) == len(patch)
        inside = cortex.adjacency[np.ix_(patch, patch)]
        assert connected_components(inside, directed=False)[0] == 1


def test_growth_follows_its_direction(cortex):
    axis = np.array([0.0, 1.0, 0.0])
    stretch = []
    for direction in (axis, np.array([0.0, 0.0, 1.0])):
        spread = []
        for seed in range(0, cortex.n_regions, 7):
            patch = grow_patch(cortex, seed, direction=direction, n_layers=3, rng=seed)
            steps = cortex.inflated_centroids[patch] - cortex.inflated_centroids[seed]
            spread.append(np.abs(steps @ axis).mean())
        stretch.append(np.mean(spread))
    assert stretch[0] > 1.1 * stretch[1]


def test_same_key_same_patch(cortex):
    first = patch_candidates(cortex, 42, rng=3)
    again = patch_candidates(cortex, 42, rng=3)
    assert len(first) > 10
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_decay_is_one_at_the_seed_and_half_at_half_distance(cortex):
    patch = grow_patch(cortex, 100, n_layers=3, rng=0)
    far = int(np.argmax(cortex.distances[100, patch]))
    weights = decay(cortex, patch, half_distance=cortex.distances[100, patch[far]])
    assert weights[0] == 1
    assert weights[far] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("bad", [-1, 994])
def test_bad_seed_is_refused(cortex, bad):
    with pytest.raises(ValueError, match="seed_region"):
        grow_patch(cortex, bad)


def test_bad_layers_are_refused(cortex):
    with pytest.raises(ValueError, match="n_layers"):
        grow_patch(cortex, 0, n_layers=7)


@pytest.mark.parametrize("seed_region", [0, 577, 993])
def test_patches_of_any_size_are_even_in_log_area_and_connected(cortex, seed_region):
    grown = sized_candidates(cortex, seed_region, n_sizes=24, rng=0)
    assert grown[0].tolist() == [seed_region]
    areas = np.array([cortex.areas[patch].sum() for patch in grown])
    wanted = np.geomspace(areas[0], 60e-4, 24)
    # A parcel of 2 cm^2 more or less, beside the draw within a 24th of the range.
    apart = np.abs(np.log(areas / wanted))
    assert (apart < np.log(60e-4 / areas[0]) / 24 + 1.5 * areas[0] / wanted).all()
    for patch in grown:
        inside = cortex.adjacency[np.ix_(patch, patch)]
        assert patch[0] == seed_region
        assert len(set(patch.tolist())) == len(patch)
        assert connected_components(inside)[0] == 1


@pytest.mark.parametrize("area", [1e-4, 8e-4, 30e-4])
def test_a_patch_comes_as_close_to_its_area_as_parcels_allow(cortex, area):
    """Closer than without the parcel that joined last, or with the next to join."""
    patch, larger = (
        grow_to_area(cortex, 300, a, rng=3) for a in (area, 3 * area + 1e-3)
    )
    np.testing.assert_array_equal(larger[: len(patch)], patch)
    off = cortex.areas[larger].cumsum() - area
    last = len(patch) - 1
    assert last == 0 or abs(off[last]) <= abs(off[last - 1])
    assert abs(off[last]) <= abs(off[last + 1])
