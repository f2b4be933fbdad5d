"""The dictionary of patches and the whitening, against closed forms."""

import numpy as np
from toys import toy_head

import deepsif_lite as dl
from deepsif_lite.cortex import decay
from deepsif_lite.network import (
    dictionary,
    patch_dictionary,
    patch_weights,
    source_whitener,
    unit_maps,
)


def test_whitener_whitens_brain_and_sensor_noise():
    head = toy_head()
    whitener = source_whitener(head.leadfield, noise_share=0.5)
    referenced = head.leadfield - head.leadfield.mean(axis=0)
    brain = referenced @ referenced.T
    noise = brain * len(brain) / np.trace(brain) + 0.5 * np.eye(len(brain))
    np.testing.assert_allclose(
        whitener @ noise @ whitener, np.eye(len(brain)), atol=1e-10
    )


def test_whitener_has_no_unit():
    head = toy_head()
    np.testing.assert_allclose(
        source_whitener(head.leadfield), source_whitener(1e6 * head.leadfield)
    )


def test_patches_are_connected_and_strongest_at_their_seed():
    from scipy.sparse.csgraph import connected_components

    cortex = toy_head().cortex
    members = patch_dictionary(cortex, 3)
    weights = patch_weights(cortex, members)
    assert members.shape == (cortex.n_regions * 3, cortex.n_regions)
    seeds = np.repeat(np.arange(cortex.n_regions), 3)
    assert members[np.arange(len(seeds)), seeds].all()
    np.testing.assert_array_equal(weights[np.arange(len(seeds)), seeds], 1)
    for row in range(0, len(seeds), 40):
        patch = np.flatnonzero(members[row])
        count, _ = connected_components(cortex.adjacency[np.ix_(patch, patch)])
        assert count == 1
        ordered = np.r_[seeds[row], patch[patch != seeds[row]]]
        np.testing.assert_allclose(
            weights[row, ordered], decay(cortex, ordered, 0.05), rtol=1e-6
        )


def test_dictionary_is_the_same_again():
    cortex = toy_head().cortex
    first, again = patch_dictionary(cortex, 2), patch_dictionary(cortex, 2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, patch_dictionary(cortex, 2, seed=1))


def test_shipped_dictionary_is_what_grows():
    cortex = dl.load_cortex()
    shipped = patch_dictionary(cortex, 24)
    for region in (0, 500, 993):
        grown = dictionary._patches_of(cortex, region, 24, 0)
        rows = slice(region * 24, (region + 1) * 24)
        np.testing.assert_array_equal(shipped[rows], grown)


def test_maps_have_norm_one_and_add_up_from_parcels():
    head = toy_head()
    weights = np.zeros((1, 120))
    weights[0, [3, 4]] = 1, 0.5
    expected = head.leadfield[:, 3] + 0.5 * head.leadfield[:, 4]
    found = unit_maps(head.leadfield, weights)[0]
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected))
