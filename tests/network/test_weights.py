"""Weights on disk: shards, cards and what is refused."""

import copy

import numpy as np
import pytest
import torch
from toys import toy_head

from deepsif_lite.network import build_network, weights

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
    monkeypatch.setattr(weights, "SHARD_BYTES", 200_000)
    weights.save_weights(build_network(**SPEC), tmp_path, card)
    monkeypatch.setattr(weights, "SHARD_BYTES", 10**9)
    network = build_network(**SPEC)
    weights.save_weights(network, tmp_path, card)
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == ["card.json", "weights-0.safetensors"]
    back = weights.load_weights(tmp_path)[0].state_dict()
    for name, value in network.state_dict().items():
        assert torch.equal(back[name], value.half().float())


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


def test_log_of_a_shipped_network_is_read():
    log = weights.load_log("lite-75")
    made = weights.load_card("lite-75")["training"]
    assert log["samples"][-1] == made["samples"]
    assert (np.diff(log["step"]) > 0).all()
    assert np.isfinite(log["training_loss"]).all()
    scored = np.isfinite(log["recall"])
    assert 5 < scored.sum() < len(scored)
    with pytest.raises(FileNotFoundError, match="shipped networks"):
        weights.load_log("lite-9000")
