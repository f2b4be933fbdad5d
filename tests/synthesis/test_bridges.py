"""Bridged electrodes: neighbors, equal, and of any reference."""

import mne
import numpy as np
import pytest
import torch

import deepsif_lite as dl
from deepsif_lite.head import TEN_TWENTY, template_cap
from deepsif_lite.signals import average_reference
from deepsif_lite.synthesis.bridges import draw_bridges, join_electrodes


def drawn(head, n=300):
    return [draw_bridges(head.sensors, np.random.default_rng(k)) for k in range(n)]


def test_bridges_are_of_neighbors_and_no_electrode_is_in_two():
    head = dl.load_head_model("template-64")
    adjacency, names = mne.channels.find_ch_adjacency(head.info, "eeg")
    assert names == head.ch_names
    beside = adjacency.toarray() > 0
    found = drawn(head)
    assert {len(bridges) for bridges in found} == {1, 2, 3}
    pairs = []
    for bridges in found:
        members = np.concatenate(bridges)
        assert len(members) == len(set(members))
        assert {len(bridge) for bridge in bridges} <= {2, 3}
        pairs += [(bridge[0], other) for bridge in bridges for other in bridge[1:]]
    assert np.mean([beside[pair] for pair in pairs]) > 0.95
    assert len({pair[0] for pair in pairs}) > 60  # anywhere


def test_electrodes_far_from_each_other_are_never_bridged():
    assert not any(drawn(template_cap(TEN_TWENTY), 100))


def test_the_reference_may_be_taken_before_or_after():
    rng = np.random.default_rng(0)
    potentials = torch.from_numpy(rng.standard_normal((2, 50, 6)))
    bridges = [[np.array([4, 1, 0])], []]
    before = average_reference(potentials, -1)
    join_electrodes(before, bridges)
    after = potentials.clone()
    join_electrodes(after, bridges)
    torch.testing.assert_close(
        average_reference(before, -1), average_reference(after, -1)
    )
    torch.testing.assert_close(after[0, :, 1], potentials[0][:, [0, 1, 4]].mean(-1))
    assert torch.equal(after[0, :, 1], after[0, :, 4])
    assert torch.equal(after[0][:, [2, 3, 5]], potentials[0][:, [2, 3, 5]])
    assert torch.equal(after[1], potentials[1])


@pytest.mark.parametrize("seed", range(3))
def test_a_seed_tells_the_bridges(seed):
    head = dl.load_head_model("template-75")
    one, other = (
        draw_bridges(head.sensors, np.random.default_rng(seed)) for _ in range(2)
    )
    assert [list(b) for b in one] == [list(b) for b in other]
