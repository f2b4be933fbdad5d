"""The dictionary of patches: connected, repeatable, and the one that is shipped."""

import numpy as np
from scipy.sparse.csgraph import connected_components

from deepsif_lite.cortex import (
    decay,
    dictionary,
    load_cortex,
    patch_dictionary,
)
from deepsif_lite.cortex.patches import DICTIONARY_PATCHES


def test_patches_are_connected_and_strongest_at_their_seed():
    cortex = load_cortex(120)
    members = patch_dictionary(cortex, 3)
    strengths = dictionary.patch_strengths(cortex)
    assert members.shape == (cortex.n_regions * 3, cortex.n_regions)
    seeds = np.repeat(np.arange(cortex.n_regions), 3)
    assert members[np.arange(len(seeds)), seeds].all()
    np.testing.assert_array_equal(np.diag(strengths), 1)
    for row in range(0, len(seeds), 40):
        patch = np.flatnonzero(members[row])
        count, _ = connected_components(cortex.adjacency[np.ix_(patch, patch)])
        assert count == 1
        ordered = np.r_[seeds[row], patch[patch != seeds[row]]]
        np.testing.assert_allclose(
            strengths[seeds[row], ordered], decay(cortex, ordered, 0.05), rtol=1e-6
        )


def test_dictionary_is_the_same_again():
    cortex = load_cortex(120)
    first, again = patch_dictionary(cortex, 2), patch_dictionary(cortex, 2)
    np.testing.assert_array_equal(first, again)
    # The first is the parcel alone, whatever the seed.
    np.testing.assert_array_equal(first[::2], np.eye(120, dtype=bool))
    other = patch_dictionary(cortex, 16, seed=1)
    assert not np.array_equal(patch_dictionary(cortex, 16), other)
    published = [patch_dictionary(cortex, 2, seed, "published") for seed in (0, 1)]
    assert not np.array_equal(*published)


def test_the_shipped_dictionary_is_read_and_not_grown(monkeypatch):
    cortex = load_cortex()

    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr(dictionary, "_grow", refuse)
    shipped = patch_dictionary(cortex, 40)
    assert shipped.shape == (994 * 40, 994)
    # Of the last parcel, grown here; `build dictionary` is tested with the command.
    rng = np.random.default_rng([0, DICTIONARY_PATCHES, 993])
    first = dictionary._of_all_sizes(cortex, 993, 40, rng)
    grown = [*first, *dictionary._as_the_paper(cortex, 993, 40 - len(first), rng)]
    for members, patch in zip(shipped[-40:], grown, strict=True):
        np.testing.assert_array_equal(np.flatnonzero(members), np.sort(patch))
    np.testing.assert_array_equal(shipped[::40], np.eye(994, dtype=bool))
