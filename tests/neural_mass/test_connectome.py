"""The surrogate connectome against the published statistics, and its regime."""

from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite.cortex import load_cortex
from deepsif_lite.neural_mass import (
    Connectome,
    load_connectome,
    simulate,
    surrogate_connectome,
)

CONNECTIVITY = "deepsif/anatomy/connectivity_998.zip"


@pytest.fixture(scope="module")
def template():
    return load_connectome("template")


def test_template_has_the_published_statistics(template):
    linked = template.weights > 0
    strength = template.weights.sum(axis=1)
    assert template.n_nodes == template.n_regions == 994
    assert linked.mean() == pytest.approx(0.0359, abs=5e-4)
    assert np.median(strength) == pytest.approx(17.4, rel=0.01)
    low, high = np.quantile(strength, [0.05, 0.95])
    assert 4 < low < 8
    assert high == pytest.approx(31.1, rel=0.1)
    assert template.tract_lengths[linked].mean() == pytest.approx(40.3, rel=0.01)
    assert template.tract_lengths.max() <= 189.5
    assert abs(template.weights - template.weights.T).max() < 0.04
    assert (np.diag(template.weights) == 0).all()
    assert ((template.tract_lengths > 0) == linked).all()


def test_no_tract_is_shorter_than_the_straight_line(template):
    cortex = load_cortex(994)
    linked = template.weights > 0
    straight = cortex.distances[linked] * 1e3
    reachable = straight < 189.5
    assert (template.tract_lengths[linked] >= straight - 1e-9)[reachable].all()


def test_mirrored_parcels_are_linked_more_than_other_distant_ones(template):
    cortex = load_cortex(994)
    left = np.flatnonzero(cortex.hemisphere == "lh")
    right = np.flatnonzero(cortex.hemisphere == "rh")
    offset = cortex.centroids[right][None] - cortex.centroids[left][:, None] * [
        -1,
        1,
        1,
    ]
    mirror = right[np.argmin(np.linalg.norm(offset, axis=-1), axis=1)]
    distant = cortex.distances[left, mirror] > 0.05
    homotopic = (template.weights[left, mirror] > 0)[distant].mean()
    everyone = cortex.distances[np.ix_(left, right)] > 0.05
    heterotopic = (template.weights[np.ix_(left, right)] > 0)[everyone].mean()
    assert homotopic > 10 * heterotopic


def test_surrogate_depends_on_its_seed_alone():
    cortex = load_cortex(100)
    once, again, other = (surrogate_connectome(cortex, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once.weights, again.weights)
    np.testing.assert_array_equal(once.tract_lengths, again.tract_lengths)
    assert not np.array_equal(once.weights, other.weights)


def test_few_parcels_get_straight_tracts():
    cortex = load_cortex(60)
    connectome = surrogate_connectome(cortex)
    linked = connectome.weights > 0
    straight = np.minimum(cortex.distances * 1e3, 189.5)
    np.testing.assert_allclose(connectome.tract_lengths[linked], straight[linked])


@pytest.mark.published(CONNECTIVITY)
def test_published_connectome():
    connectome = load_connectome("published")
    assert connectome.weights.shape == (998, 998)
    assert connectome.n_regions == 994
    assert np.count_nonzero(connectome.weights) == 35730
    assert connectome.tract_lengths.max() == pytest.approx(189.5)
    moved = {r: connectome.node_of_region[r] for r in (7, 325, 921, 949)}
    assert moved == {7: 994, 325: 997, 921: 996, 949: 995}
    assert len(set(connectome.node_of_region)) == 994


def check_regime(connectome):
    """Background near 1.3 +- 0.4 mV; raised regions spike, the others hardly ever."""
    rng = np.random.default_rng(0)
    gains = np.resize([3.5, 3.55, 3.6], 15)
    seeds = connectome.node_of_region[
        rng.choice(connectome.n_regions, len(gains), replace=False)
    ]
    gain = np.full((len(gains) + 1, connectome.n_nodes), 3.25)
    gain[np.arange(len(gains)), seeds] = gains
    psp = simulate(connectome, gain=gain, duration=5.5, stride=4)[:, 250:]
    quiet = psp[-1]
    assert quiet.mean() == pytest.approx(1.3, abs=0.1)
    assert quiet.std(axis=0).mean() == pytest.approx(0.4, abs=0.1)
    spiking = psp[np.arange(len(gains)), :, seeds]
    assert ((spiking > 8).any(axis=1)).mean() > 0.8
    others = psp.copy()
    others[np.arange(len(gains)), :, seeds] = 0
    assert (others > 8).any(axis=1).mean() < 0.01


def test_template_gives_the_regime(template):
    check_regime(template)


@pytest.mark.published(CONNECTIVITY)
def test_published_gives_the_regime():
    check_regime(load_connectome("published"))


def test_unknown_name():
    with pytest.raises(ValueError, match="choose one of 'template', 'published'"):
        load_connectome("connectivity_76")


def test_raised_gain_is_that_of_the_regions_own_node():
    weights = np.zeros((4, 4))
    connectome = Connectome("", weights, weights, np.array([0, 3, 2]))
    gain = connectome.raised_gain([1, 2], [3.5, 3.6])
    assert gain.tolist() == [[3.25, 3.25, 3.25, 3.5], [3.25, 3.25, 3.6, 3.25]]
    assert connectome.raised_gain(0, 9, healthy=1).tolist() == [[9, 1, 1, 1]]


def test_a_template_of_another_size_is_drawn_on_its_own_cortex():
    small, cortex = load_connectome(n_regions=60), load_cortex(60)
    assert (small.n_nodes, small.n_regions, small.cortex) == (60, 60, cortex.name)
    drawn = surrogate_connectome(cortex)
    np.testing.assert_array_equal(small.weights, drawn.weights)
    np.testing.assert_array_equal(small.tract_lengths, drawn.tract_lengths)
