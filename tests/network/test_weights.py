"""Weights on disk: shards, cards and what is refused."""

import copy
import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from toys import toy_head

from deepsif_lite.network import build_network, weights
from deepsif_lite.training import plan

SPEC = {"kind": "paper", "n_channels": 20, "n_regions": 30}


@pytest.fixture
def card():
    head = toy_head()
    return {
        "network": SPEC,
        "ch_names": head.ch_names,
        "head": head.name,
        "head_hash": weights.head_fingerprint(head),
    }


def test_shards_come_back_whole(card, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "SHARD_BYTES", 200_000)
    network = build_network(**SPEC)
    folder = weights.save_weights(network, tmp_path / "net", card)
    shards = list(folder.glob("*.safetensors"))
    assert len(shards) > 2
    loaded, read = weights.load_weights(folder)
    assert read == card
    for name, value in network.state_dict().items():
        back = loaded.state_dict()[name]
        assert back.dtype == torch.float32
        torch.testing.assert_close(back, value, rtol=1e-3, atol=1e-4)


def test_saving_again_leaves_no_old_shard(card, tmp_path, monkeypatch):
    network = build_network(**SPEC)
    monkeypatch.setattr(weights, "SHARD_BYTES", 200_000)
    weights.save_weights(network, tmp_path, card)
    monkeypatch.setattr(weights, "SHARD_BYTES", 10**9)
    weights.save_weights(network, tmp_path, card)
    assert len(list(tmp_path.glob("*.safetensors"))) == 1


def test_card_is_checked_against_the_head(card):
    head = toy_head()
    weights.check_card(card, head)
    renamed = copy.copy(head)
    renamed.ch_names = head.ch_names[::-1]
    with pytest.raises(ValueError, match="channels"):
        weights.check_card(card, renamed)
    bent = copy.copy(head)
    bent.leadfield = head.leadfield * np.linspace(1, 2, len(head.ch_names))[:, None]
    with pytest.raises(ValueError, match="trained on"):
        weights.check_card(card, bent)


def test_unknown_network_names_the_shipped_ones():
    with pytest.raises(FileNotFoundError, match="shipped networks"):
        weights.load_weights("lite-9000")


def test_scores_are_added_to_the_card(card, tmp_path):
    folder = weights.save_weights(build_network(**SPEC), tmp_path, card)
    weights.write_card_scores(folder, {"test_samples": 5})
    assert weights.load_card(folder) == card | {"scores": {"test_samples": 5}}


@pytest.mark.parametrize("name", weights.available_weights())
def test_shipped_networks_know_their_head_and_their_scores(name):
    from deepsif_lite.errors import RecordingUnavailable
    from deepsif_lite.head import load_head_model

    card = weights.load_card(name)
    assert 0 < card["scores"]["corrected"]["all"]["recall"] < 1
    try:
        head = load_head_model(card["head"])
    except RecordingUnavailable:
        pytest.skip("the published head model is not here")
    weights.check_card(card, head)


def test_lite_75_comes_from_the_default_recipe():
    """One command makes it again: ``deepsif-lite train --out run``."""
    made = weights.load_card("lite-75")["training"]
    recipe = json.loads(json.dumps(asdict(plan("lite"))))
    assert made["samples"] == recipe["n_steps"] * recipe["batch_size"]
    assert {key: made[key] for key in recipe if key in made} == {
        key: value for key, value in recipe.items() if key in made
    }
    assert made["initial"] is None
