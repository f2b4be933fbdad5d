"""Transfer of networks: same montage, other parcels, and what is refused."""

import numpy as np
import pytest
import torch
from toys import toy_head

import deepsif_lite as dl
from deepsif_lite.cortex import matching_parcels
from deepsif_lite.errors import MismatchError
from deepsif_lite.network import (
    build_network,
    head_fingerprint,
    load_weights,
    save_weights,
    transfer,
)
from deepsif_lite.network.transfer import start_from, transferred


@pytest.fixture
def trained(tmp_path):
    """A folder with a network of the toy head (of random weights)."""
    head = toy_head()
    spec = {"kind": "lite", "n_channels": 20, "n_regions": 120, "n_shapes": 2}
    card = {
        "network": spec,
        "ch_names": head.ch_names,
        "head": head.name,
        "head_hash": head_fingerprint(head),
        "default": True,
    }
    return save_weights(build_network(**spec), tmp_path / "trained", card)


def test_weights_of_the_same_head_are_copied(trained):
    source, card = load_weights(trained)
    fresh = build_network(**card["network"])
    start_from(fresh, *load_weights(trained), toy_head())
    for name, value in source.state_dict().items():
        assert torch.equal(fresh.state_dict()[name], value)


def test_parcels_take_over_the_parcel_they_share_most_vertices_with():
    coarse, fine = dl.load_cortex(60), dl.load_cortex(120)
    match = matching_parcels(fine, coarse)
    for region in (0, 37, 119):
        inside = coarse.region_of_vertex[fine.region_of_vertex == region]
        counts = np.bincount(inside[inside >= 0], minlength=60)
        assert counts[match[region]] == counts.max()
    np.testing.assert_array_equal(matching_parcels(fine, fine), np.arange(120))


def test_parcels_learn_from_their_match(trained, monkeypatch):
    source, _ = load_weights(trained)
    monkeypatch.setattr(transfer, "load_training_head", lambda _: toy_head())
    head = toy_head(60)
    network, card = transfer.transferred(*load_weights(trained), head)
    match = matching_parcels(head.cortex, toy_head().cortex)
    assert card["network"]["n_regions"] == 60
    assert torch.equal(network.gate.bias, source.gate.bias[match])
    assert torch.equal(network.local_region, source.local_region[match])
    assert torch.equal(network.local_mid[0].weight, source.local_mid[0].weight)
    assert network(torch.randn(1, 60, 20)).shape == (1, 60, 60)


def test_card_says_where_the_network_came_from(trained):
    head = toy_head()
    network, card = transferred(*load_weights(trained), head)
    assert card["transferred_from"] == "toy"
    assert "default" not in card
    assert card["head_hash"] == head_fingerprint(head)
    assert network(torch.randn(1, 60, 20)).shape == (1, 60, 120)


def test_networks_of_other_options_are_refused(trained):
    spec = {"kind": "lite", "n_channels": 20, "n_regions": 120, "n_shapes": 2}
    fresh = build_network(**spec, local_width=8)
    with pytest.raises(MismatchError, match="differ"):
        start_from(fresh, *load_weights(trained), toy_head())
    head = toy_head(60)
    sizes = {"n_channels": 20, "n_regions": 60, "n_shapes": 2}
    narrow = build_network("lite", **sizes, local_width=8)
    narrow.set_geometry(head.leadfield, head.cortex)
    source, _ = load_weights(trained)
    source.set_geometry(toy_head().leadfield, toy_head().cortex)
    match = matching_parcels(head.cortex, toy_head().cortex)
    with pytest.raises(MismatchError, match="differ"):
        narrow.transfer_from(source, match)
    deep = build_network("lite", **sizes, depth=3)
    deep.set_geometry(head.leadfield, head.cortex)
    with pytest.raises(MismatchError, match="differ"):
        deep.transfer_from(source, match)


def test_the_papers_network_is_not_transferred(tmp_path):
    head = toy_head()
    spec = {"kind": "paper", "n_channels": 20, "n_regions": 120, "width": 8}
    card = {"network": spec, "ch_names": head.ch_names, "head": "another"}
    card |= {"head": "template-64", "head_hash": "x"}
    folder = save_weights(build_network(**spec), tmp_path, card)
    with pytest.raises(MismatchError, match="only lite"):
        transferred(*load_weights(folder), head)
